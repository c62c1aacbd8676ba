/**
 * What a store's failure means to the caller of a command (sysexits), by its reason (StoreError in store/store.ts): a file
 * or a server that cannot is no bug, a conflict is ours and not among them. Read by control-app.ts and by the command
 * line, which loads no store for it.
 */
const IO_ERROR = 74
const TRY_AGAIN = 75

export const STORE_EXIT: Readonly<Record<string, number>> = {
  full: IO_ERROR,
  broken: IO_ERROR,
  busy: TRY_AGAIN,
  closed: TRY_AGAIN,
}
