/** This machine itself: loopback, a Unix socket, standard input. */
export function isLoopback(address: string): boolean {
  return (
    address.startsWith('127.') || address === '::1' || address === 'unix' || address === 'stdio'
  )
}
