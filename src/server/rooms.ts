/** The modules whose named readers and writers the store's threads must know. */
export const STORE_MODULES: readonly URL[] = [
  '../account/reader.ts',
  '../account/writer.ts',
  '../account/alias-writer.ts',
  '../mailbox/reader.ts',
  '../mailbox/writer.ts',
  '../queue/reader.ts',
  '../queue/writer.ts',
  '../queue/content.ts',
  '../queue/transfer.ts',
  '../record/trace.ts',
  '../cluster/reader.ts',
  '../cluster/writer.ts',
].map(path => new URL(path, import.meta.url))
