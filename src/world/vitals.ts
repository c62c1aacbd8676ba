/** How the process is, as a port: what limit/load.ts looks at to see whether there is too much to do. */
export interface Vitals {
  /** Resident memory, and what the machine or the container has. */
  readonly memoryOctets: number
  readonly memoryMostOctets: number
  /** Of what the heap may become, 0 to 1. */
  readonly heapShare: number
}
