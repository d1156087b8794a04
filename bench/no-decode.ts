// Given to a process by `--import`: puts a stand-in in the place of sharp that decodes nothing.
import { register } from 'node:module';

const STAND_IN = `
  const picture = {
    metadata: async () => ({ format: 'png', width: 1, height: 1, channels: 3, depth: 'uchar', space: 'srgb', autoOrient: { width: 1, height: 1 } }),
    autoOrient: () => picture,
    resize: () => picture,
    timeout: () => picture,
    webp: () => picture,
    toBuffer: async () => Buffer.alloc(64),
  };
  const sharp = () => picture;
  sharp.cache = () => {};
  sharp.concurrency = () => {};
  export default sharp;
`;
const dataUrl = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;

register(
  dataUrl(`
    const standIn = ${JSON.stringify(dataUrl(STAND_IN))};
    export const resolve = (name, context, next) =>
      name === 'sharp' ? { url: standIn, shortCircuit: true } : next(name, context);
  `),
);
