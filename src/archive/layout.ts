/** The keys of everything in an archive. No other file knows the layout. */
export const layout = {
  batch: (batch: string) => `${batch}/batch.json`,
  records: (batch: string) => `${batch}/items/`,
  record: (batch: string, item: string) => `${batch}/items/${item}.json`,
  /** The list of the segments that hold. */
  segmentList: (batch: string) => `${batch}/segments.json`,
  segments: (batch: string) => `${batch}/segments/`,
  segment: (batch: string, name: string) => `${batch}/segments/${name}.jsonl.gz`,
  /** The record that could not be written over one that cannot be read. */
  aside: (batch: string, item: string) => `${batch}/aside/${item}.json`,
  images: (batch: string) => `${batch}/images/`,
  image: (batch: string, item: string, extension: string, number = 1) =>
    `${batch}/images/${fileOf(item, number)}.${extension}`,
  /** Pictures of one's own that items start from: `inputs/<sha256>.jpg` and the like, as requests have it. */
  inputs: (batch: string) => `${batch}/inputs/`,
  input: (batch: string, reference: string) => `${batch}/${reference}`,
  /** What came in the place of an image and was not accepted. */
  refused: (batch: string, item: string, number = 1) => `${batch}/refused/${fileOf(item, number)}.bin`,
  thumbs: (batch: string) => `${batch}/thumbs/`,
  thumb: (batch: string, item: string, number = 1) => `${batch}/thumbs/${fileOf(item, number)}.webp`,
  /** The prefix of everything in a batch. */
  folder: (batch: string) => `${batch}/`,
};

/**
 * What an image of an item is called: `hero-0123456789ab`, and `hero-0123456789ab_2` for the second of its task. No id has a `_`, so
 * no other item has that name; nor a dot, which would end the name for readers of WebDataset.
 */
export function fileOf(item: string, number: number): string {
  return number === 1 ? item : `${item}_${number}`;
}

/** The files of an index, in a batch's folder or in the folder that results are collected to. */
export const indexFiles = {
  resultsJsonl: 'results.jsonl',
  resultsCsv: 'results.csv',
  page: 'index.html',
  contactSheet: 'contact-sheet.webp',
  galleryPart: (number: number) => `gallery-data/${String(number).padStart(5, '0')}.js`,
};

const PICTURES = /\/(images|thumbs)\/[^/]+$/;

/** Whether a key is that of an image or its thumbnail. Once recorded, they do not change. */
export function isPicture(key: string): boolean {
  return PICTURES.test(key);
}

/** The item id in a record's key. */
export function itemOfRecordKey(batch: string, key: string): string {
  return key.slice(layout.records(batch).length, -'.json'.length);
}
