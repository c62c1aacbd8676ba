/**
 * The package `koffi`, by which a process calls a C library, as far as it is used here. It is optional, so
 * that its own types may be absent where ours are checked. Loaded in helper processes alone (neighbour.ts):
 * a library that crashes takes one of these with it, never the server.
 */

/** An address in the library's memory; null is none. */
export type Pointer = object | bigint | null

export interface NativeFunction {
  (...args: readonly unknown[]): unknown
  /** The same in a thread of the pool: the last argument is called with the result. */
  readonly async: (...args: readonly unknown[]) => void
}

export interface Library {
  func(prototype: string): NativeFunction
}

export interface Koffi {
  /** null is what this process itself is made of. */
  load(file: string | null): Library
  errno(): number
  struct(name: string, members: Readonly<Record<string, string>>): unknown
  opaque(name: string): unknown
  proto(prototype: string): unknown
  pointer(type: unknown): unknown
  register(callback: (...args: readonly never[]) => unknown, type: unknown): Pointer
  unregister(callback: Pointer): void
  decode(pointer: Pointer, type: string, length?: number): unknown
  decode(pointer: Pointer, offset: number, type: string, length?: number): unknown
  encode(pointer: Pointer, type: string, value: unknown): void
  encode(pointer: Pointer, offset: number, type: string, value: unknown): void
  view(pointer: Pointer, octets: number): ArrayBuffer
}

/** Rejects where the package is not installed, or has no binary for this system. */
export async function loadKoffi(): Promise<Koffi> {
  const name: string = 'koffi'
  const module = (await import(name)) as { readonly default: Koffi }
  return module.default
}

/** Runs a call in a thread, so that one that waits (for a KDC, a disk) holds up no other. */
export function inThread(call: NativeFunction, args: readonly unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) =>
    call.async(...args, (error: unknown, result: unknown) =>
      error ? reject(error) : resolve(result),
    ),
  )
}
