// Loaded before the program (NODE_OPTIONS=--import=…): the native decoder ends the process at the picture whose comment has this word,
// as one does that takes all memory or has a bug.
import sharp from 'sharp';

const DEADLY = Buffer.from(process.env.DEADLY_PICTURE ?? 'deadly');
const { toBuffer } = sharp.prototype;

sharp.prototype.toBuffer = function toBufferOrDie(...args) {
  const { buffer } = this.options.input;
  if (Buffer.isBuffer(buffer) && buffer.includes(DEADLY)) process.kill(process.pid, 'SIGKILL');
  return toBuffer.apply(this, args);
};
