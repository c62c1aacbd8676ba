/**
 * Files of the machine as a port, for mail that is delivered into files (transport/maildir.ts, mbox.ts). A
 * name or content is there after a crash only where it was synced. Failures reject with `FileError`.
 */
export interface Files {
  /** Opens a file that must not be there yet; it belongs to us, mode 0600. */
  create(path: string): Promise<OpenFile>
  /**
   * Opens a regular file for writing at its end and reading; makes it (0600) where `make` says so. Never
   * follows a link: whoever may write in the folder must not lead us elsewhere.
   */
  append(path: string, make: boolean): Promise<OpenFile>
  /** The whole of a small file. */
  read(path: string, octetsMax: number): Promise<Uint8Array>
  /** What is known of a path, itself and not what a link leads to; undefined where nothing is there. */
  look(path: string): Promise<Look | undefined>
  /** A second name for a file; EEXIST where the name is taken (link(2): also over NFS but one gets it). */
  link(from: string, to: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** One that is not there is no error. */
  remove(path: string): Promise<void>
  /** Makes a folder, mode 0700, and those above it, durably; one that is there is no error. */
  makeFolder(path: string): Promise<void>
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>
  /**
   * Asks for the whole of a file by fcntl(2), as other programs of the machine do; nobody waits. 'unable' where
   * nothing here can ask. Makes the file where `make` says so.
   */
  lock(path: string, make: boolean): Promise<FileLock | 'taken' | 'unable'>
}

export interface FileLock {
  /** Of the file that is locked; another may stand under its name by now. */
  readonly identity: string
  /** Never rejects. */
  release(): Promise<void>
}

export interface OpenFile {
  readonly sizeOctets: number
  /** As `Look` tells it. */
  readonly identity: string
  /** Appends. */
  write(octets: Uint8Array): Promise<void>
  read(from: number, to: number): Promise<Uint8Array>
  truncate(sizeOctets: number): Promise<void>
  /** Makes the content durable. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface Look {
  readonly kind: 'file' | 'folder' | 'other'
  /** The same for all names of one file. */
  readonly identity: string
  /** How many names it has. */
  readonly names: number
  readonly sizeOctets: number
  /** By the clock of the machine that keeps it. */
  readonly changedAt: number
}

/** Why a file could not be used. `code` is the system's: ENOENT, EACCES, ENOSPC, EEXIST ... */
export class FileError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}
