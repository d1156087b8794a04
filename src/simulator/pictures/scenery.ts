import { createRandom, type Random } from '../random.ts';
import type { Size } from './size.ts';

type Palette = { sky: [top: string, middle: string, low: string]; hills: string; sun: string; isNight?: true };

/** Chosen by hand: random colours seldom look good together. */
const PALETTES: readonly Palette[] = [
  { sky: ['#2b3a67', '#8a6f9e', '#f6b38e'], hills: '#5b5288', sun: '#fff1d6' },
  { sky: ['#1d5c7a', '#5fa8b8', '#fbe3b0'], hills: '#3f7f8c', sun: '#fffbe8' },
  { sky: ['#4a2545', '#a64d66', '#f7a072'], hills: '#7b3654', sun: '#ffe8c9' },
  { sky: ['#3f72af', '#8fbce0', '#f4ead5'], hills: '#5f86a8', sun: '#ffffff' },
  { sky: ['#5c4d8a', '#b592c4', '#ffd3c9'], hills: '#7a659f', sun: '#fff4ef' },
  { sky: ['#9a3f2b', '#dd8250', '#fbd78b'], hills: '#a3533b', sun: '#fff3cf' },
  { sky: ['#2f5d50', '#7fab8c', '#f3e2ae'], hills: '#47776a', sun: '#fffadf' },
  { sky: ['#0b1633', '#1f3a63', '#4f7f96'], hills: '#23446b', sun: '#eef4ff', isNight: true },
  { sky: ['#160f30', '#3b2a63', '#8a5a86'], hills: '#432f69', sun: '#fbeef5', isNight: true },
  { sky: ['#0a1f26', '#17484e', '#5f9480'], hills: '#1d4d52', sun: '#f0fbf0', isNight: true },
];

/**
 * An SVG landscape without text: a sky, a sun or moon, some ranges of hills. The colours depend on the prompt only, so
 * that the takes of one prompt look related. The shapes also depend on the take.
 */
export function scenery(prompt: string, take: number, { width, height }: Size): string {
  const { sky, hills, sun, isNight } = paletteOf(prompt);
  const shapes = createRandom(take, prompt);
  const sunX = width * (0.55 + 0.35 * shapes());
  const sunY = height * (0.14 + 0.18 * shapes());
  const sunSize = Math.min(width, height) * (0.06 + 0.06 * shapes());
  // Nearer hills are darker.
  const ranges = [0, 0.24, 0.44, 0.62].map((darkness, depth) => {
    const outline = ridge(shapes, depth, width, height);
    return `<path d="${outline}" fill="${hills}"/><path d="${outline}" fill="#000" opacity="${darkness}"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
<defs>
<linearGradient id="sky" x1="0" y1="0" x2="0.12" y2="1">
<stop offset="0" stop-color="${sky[0]}"/>
<stop offset="0.38" stop-color="${sky[1]}"/>
<stop offset="0.7" stop-color="${sky[2]}"/>
</linearGradient>
<radialGradient id="glow">
<stop offset="0" stop-color="${sun}" stop-opacity="0.6"/>
<stop offset="1" stop-color="${sun}" stop-opacity="0"/>
</radialGradient>
<linearGradient id="shade" x1="0" y1="0" x2="0" y2="1">
<stop offset="0" stop-color="#000" stop-opacity="0"/>
<stop offset="0.6" stop-color="#000" stop-opacity="0.42"/>
<stop offset="1" stop-color="#000" stop-opacity="0.6"/>
</linearGradient>
</defs>
<rect width="100%" height="100%" fill="url(#sky)"/>
${isNight ? stars(shapes, width, height) : ''}
<circle cx="${sunX}" cy="${sunY}" r="${sunSize * 3.4}" fill="url(#glow)"/>
<circle cx="${sunX}" cy="${sunY}" r="${sunSize}" fill="${sun}"/>
${ranges.join('\n')}
<rect y="${height * 0.4}" width="100%" height="${height * 0.6}" fill="url(#shade)"/>
</svg>`;
}

function paletteOf(prompt: string): Palette {
  const palette = PALETTES[Math.floor(createRandom(0, prompt)() * PALETTES.length)];
  if (!palette) throw new Error('Expected at least one palette');
  return palette;
}

/** The outline of one range of hills: the sum of three waves. Nearer ranges are lower and smoother. */
function ridge(random: Random, depth: number, width: number, height: number): string {
  const base = height * (0.5 + depth * 0.12);
  const waves = [1.3, 2.9, 6.1].map((frequency, index) => ({
    frequency: frequency * (0.7 + 0.6 * random()),
    phase: random() * 2 * Math.PI,
    rise: (height * 0.085 * (1 - depth * 0.13)) / (1 + index * 1.3),
  }));
  const points = Array.from({ length: 49 }, (_, step) => {
    const across = step / 48;
    const rises = waves.map(({ frequency, phase, rise }) => rise * Math.sin(frequency * across * Math.PI + phase));
    return `L${(across * width).toFixed(1)} ${(base + rises.reduce((sum, rise) => sum + rise, 0)).toFixed(1)}`;
  });
  return `M0 ${height}${points.join('')}L${width} ${height}Z`;
}

function stars(random: Random, width: number, height: number): string {
  return Array.from({ length: 60 }, () => {
    const [x, y] = [random() * width, random() * height * 0.5];
    return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${(0.5 + random()).toFixed(2)}" fill="#fff" opacity="${(0.3 + random() * 0.6).toFixed(2)}"/>`;
  }).join('');
}
