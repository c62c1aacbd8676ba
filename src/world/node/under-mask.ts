/** The umask of this process for one call. Used by net.ts and http.ts, which make sockets in the file system. */

/** What `make` makes has no more than this mode from its first instant on: bind() happens inside listen(). */
export function underMask(mode: number, make: () => void): void {
  const mask = process.umask(0o777 & ~mode)
  try {
    make()
  } finally {
    process.umask(mask)
  }
}
