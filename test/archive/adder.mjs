// Adds 1 to the number in `b/a.json` of an archive folder, so many times, each over what it has read.
import { folderArchive } from '../../dist/src/archive/folder.js';

const [folder, times] = process.argv.slice(2);
const archive = folderArchive(folder);
for (let added = 0; added < Number(times); ) {
  const { body, version: was } = await archive.readVersioned('b/a.json');
  const next = Buffer.from(String(Number(body) + 1));
  if (await archive.replace('b/a.json', next, { contentType: 'text/plain', was })) added += 1;
}
