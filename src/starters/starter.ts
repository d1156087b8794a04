/** Every manifest that we write begins with it. */
export const HEAD = `# yaml-language-server: $schema=manifest.schema.json
# The line above is for editors: completion and help, after  flux-batch schema > manifest.schema.json
version: 1

# The name of the whole batch. It begins the key of each image: <batch>/images/<item>.png
`;

/** The manifest that `flux-batch init` writes: six images, and an example of each kind of job. */
export const STARTER = `${HEAD}batch: my-first-batch

# For every job that does not say otherwise. Prices are by model and image: flux-batch plan tells.
defaults:
  model: flux-kontext-pro # or flux-kontext-max: stronger and dearer
  aspectRatio: "4:3" # 21:9 16:9 4:3 1:1 3:4 9:16
  outputFormat: png # or jpeg
  # embed: true           # write the prompt into the image files too

jobs:
  # One prompt, drawn twice.
  - id: lighthouse
    prompt: A white lighthouse above a calm sea at dawn, film photograph
    variants: 2

  # A matrix: an image for each combination, here 2 × 2. A text that begins with {{ needs quotes.
  - id: teapot-{{ color }}-{{ angle }}
    prompt: A {{ color }} teapot, {{ angle }} view, on a linen cloth, soft studio light
    matrix:
      color: [crimson, cobalt]
      angle: [front, three-quarter]

  # A file of prompts, one on each line:
  # - prompts: prompts.txt

  # A table, an image for each row; the columns of its header are variables:
  # - id: shelf-{{ sku }}
  #   prompt: "{{ product }} on an oak shelf, morning sun"
  #   rows: products.csv

  # Editing: an image that the provider can reach, and what to change in it.
  # - id: living-room
  #   prompt: Put a tall plant beside the sofa and keep everything else as it is
  #   inputImage: https://example.com/living-room.jpg
`;
