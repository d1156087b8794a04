import { styleText } from 'node:util';

export type Color = 'red' | 'yellow' | 'green';
/** Colours a text, or leaves it as it is. */
export type Paint = (color: Color, text: string) => string;

export const unpainted: Paint = (_color, text) => text;

/** Colours where the stream is a terminal that has some; Node minds NO_COLOR and FORCE_COLOR. */
export function paintFor(stream: NodeJS.WritableStream): Paint {
  return (color, text) => styleText(color, text, { stream });
}
