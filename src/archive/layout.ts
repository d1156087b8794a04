/** The keys of everything in an archive; the one place that knows the layout. */
export const layout = {
  batch: (batch: string) => `${batch}/batch.json`,
  records: (batch: string) => `${batch}/items/`,
  record: (batch: string, item: string) => `${batch}/items/${item}.json`,
  image: (batch: string, item: string, extension: string) => `${batch}/images/${item}.${extension}`,
  thumbs: (batch: string) => `${batch}/thumbs/`,
  thumb: (batch: string, item: string) => `${batch}/thumbs/${item}.webp`,
  resultsJsonl: (batch: string) => `${batch}/results.jsonl`,
  resultsCsv: (batch: string) => `${batch}/results.csv`,
  index: (batch: string) => `${batch}/index.html`,
};

/** The item id of a record's key. */
export function itemOfRecordKey(batch: string, key: string): string {
  return key.slice(layout.records(batch).length, -'.json'.length);
}
