// The JSON data of the gallery's page. No imports here: the page's scripts are type-checked with the browser's types,
// without Node's.

export type GalleryItem = {
  id: string;
  name: string;
  variant: number;
  state: 'queued' | 'claimed' | 'submitted' | 'archived' | 'failed' | 'held' | 'cancelled' | 'unreadable';
  prompt: string;
  model: string;
  /** The rest of the request as sent. */
  parameters: Record<string, string | number | boolean>;
  variables: Record<string, string>;
  attempts: number;
  /** Not what its name stands for now: of a former prompt, or an earlier take. */
  former?: true;
  /** From 2 on: another image of the same request. `note`: what a person has said of it. */
  take?: number;
  note?: string;
  taskId?: string;
  picture?: Picture;
  /** Of a task that made several images: which of them `picture` is, and how many there were. */
  number?: number;
  of?: number;
  /** The others that are stored. The page has a card for each. */
  more?: (Picture & { number: number })[];
  /** Pictures of one's own that it was made from, by their paths relative to the page. */
  inputs?: string[];
  failure?: { class: string; code?: number; message: string };
  /** Where in the archive the bytes are that were not accepted as an image. */
  refused?: string;
  /** ISO 8601. */
  times: { queued?: string; submitted?: string; completed?: string; discovered?: string; archived?: string };
};

/** Paths are relative to the page. */
export type Picture = {
  image: string;
  thumb: string;
  width: number;
  height: number;
  bytes: number;
  contentType: string;
  sha256: string;
  /** What is odd about it. */
  note?: string;
};

/** A data file beside the page. `items` counts cards, `from` and `to` are the names of its first and last item, in the order of ids. */
export type GalleryPart = { file: string; items: number; from: string; to: string };

export type GalleryHead = {
  batch: string;
  written: string;
  total: number;
  states: Record<string, number>;
  /** Images beyond the first of their items, each with a card. */
  further?: number;
  bytes: number;
  /** The contact sheet's file name, if there is one. */
  sheet?: string;
  /** All items of a small batch. Empty for a larger one, which has them in `parts`. */
  items: GalleryItem[];
  parts: GalleryPart[];
};
