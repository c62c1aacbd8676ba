/**
 * Whether files still have the names they were opened by. A file that was removed is written and synced as ever,
 * and is gone with the process: who answers for what it holds must know. Called by store/committer-worker.ts.
 */
import { statSync } from 'node:fs'

export class InPlace {
  readonly #paths: readonly string[]
  readonly #files: readonly (string | undefined)[]

  /** What has these names now is what must have them later. */
  constructor(paths: readonly string[]) {
    this.#paths = paths
    this.#files = paths.map(fileAt)
  }

  /** The first path that leads elsewhere by now, or nowhere. */
  lost(): string | undefined {
    return this.#paths.find((path, i) => fileAt(path) !== this.#files[i])
  }
}

/** Which file has the name; undefined where none has. */
function fileAt(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat && `${stat.dev} ${stat.ino}`
}
