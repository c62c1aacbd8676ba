/**
 * Whether a database file and its log (sqlite.org/walformat.html) are still what they were when they were opened:
 * what has lost its name, or was cut, is written and synced as ever, and gone with the process. Who answers for
 * what they hold must know. Called by store/committer-worker.ts before each batch and behind its commit.
 *
 * Never opens the database itself: to close any descriptor of it would give up SQLite's locks of this process
 * (fcntl(2), POSIX locks). On the log there are none.
 */
import { closeSync, openSync, readSync, type Stats, statSync } from 'node:fs'

/** WAL_MAGIC, without its last bit, which is the byte order of the checksums. */
const magic = 0x377f0682
const headerOctets = 32
/** Of both salts, which change whenever the log begins anew. */
const [saltFrom, saltTo] = [16, 24]

export interface DatabaseFilesOptions {
  /** The size of the whole database as of its last commit: what a checkpoint may cut the file to. */
  readonly wholeOctets: () => number
}

export class DatabaseFiles {
  readonly #path: string
  readonly #logPath: string
  readonly #options: DatabaseFilesOptions
  readonly #header = Buffer.alloc(headerOctets)
  readonly #database: Seen
  #log: Seen | undefined
  #logFile: number | undefined
  #salts = ''
  /** What was cut or written over. A file that has lost its name may have it again; these octets do not come back. */
  #spoilt: string | undefined

  /** What has the names now is what must have them later. */
  constructor(path: string, options: DatabaseFilesOptions) {
    this.#path = path
    this.#logPath = `${path}-wal`
    this.#options = options
    this.#database = seen(path)
    this.opened()
  }

  /** A connection was opened: its log is the one that is there. */
  opened(): void {
    this.closed()
    this.#log = seen(this.#logPath)
    if (this.#log.file !== undefined) this.#logFile = openSync(this.#logPath, 'r')
    this.#readSalts()
  }

  /** There is no connection now, and no log that must be there. */
  closed(): void {
    if (this.#logFile !== undefined) closeSync(this.#logFile)
    this.#logFile = undefined
    this.#log = undefined
  }

  /** Whether the last connection has folded its log into the database, and taken it away. */
  get folded(): boolean {
    const logIsGone = seen(this.#logPath).file === undefined
    return this.#spoilt === undefined && logIsGone && this.#faultOfDatabase() === undefined
  }

  /**
   * What is wrong, in words; undefined where all is as it should be.
   * @param written whether something was committed: then the log begins as one does
   */
  fault(written: boolean): string | undefined {
    return this.#spoilt ?? this.#faultOfDatabase() ?? this.#faultOfLog(written)
  }

  #faultOfDatabase(): string | undefined {
    const now = seen(this.#path)
    if (now.file !== this.#database.file) return replaced(this.#path)
    // It grows, but for pages that a checkpoint gives back: then it ends with the database.
    const cut = now.octets < this.#database.octets && now.octets !== this.#options.wholeOctets()
    if (cut) return this.#spoil(wasCut(this.#path))
    this.#database.octets = now.octets
    return undefined
  }

  #faultOfLog(written: boolean): string | undefined {
    if (this.#log === undefined) return undefined
    const now = seen(this.#logPath)
    if (now.file !== this.#log.file) return replaced(this.#logPath)
    const shrunk = now.octets < this.#log.octets
    if (shrunk || written) {
      const before = this.#salts
      // Empty it is until the first commit, and again where somebody's checkpoint asks for that.
      const sound = this.#readSalts() || now.octets === 0
      if (!sound) return this.#spoil(replaced(this.#logPath))
      if (shrunk && now.octets > 0 && this.#salts === before) {
        return this.#spoil(wasCut(this.#logPath))
      }
    }
    this.#log.octets = now.octets
    return undefined
  }

  /** Holds until the next start, which looks at what is left (store/commit-count.ts). */
  #spoil(fault: string): string {
    this.#spoilt = fault
    return fault
  }

  /** Whether the log begins as one does. */
  #readSalts(): boolean {
    if (this.#logFile === undefined) return false
    const octets = readSync(this.#logFile, this.#header, 0, headerOctets, 0)
    this.#salts = this.#header.toString('latin1', saltFrom, saltTo)
    return octets === headerOctets && (this.#header.readUInt32BE(0) & ~1) >>> 0 === magic
  }
}

interface Seen {
  /** Which file has the name; undefined where none has. */
  readonly file: string | undefined
  octets: number
}

function seen(path: string): Seen {
  const stat: Stats | undefined = statSync(path, { throwIfNoEntry: false })
  return { file: stat && `${stat.dev} ${stat.ino}`, octets: stat?.size ?? 0 }
}

const replaced = (path: string) => `${path} was removed or replaced while it was open`
const wasCut = (path: string) => `${path} was cut while it was open`
