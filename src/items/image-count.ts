/** What APIs call the number of images that a task is to make. What an image costs goes by them, so they are part of its kind. */
export const COUNT_PARAMETERS = [
  'num_images',
  'max_images',
  'n',
  'number_of_images',
  'image_count',
  'batch_size',
] as const;
export type CountParameter = (typeof COUNT_PARAMETERS)[number];
