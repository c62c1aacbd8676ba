/** What the bench needs of a server under test. Each is started with a data folder of its own. */
export interface Peer {
  readonly name: string
  /** The process whose tree is measured. */
  readonly pid: number
  readonly port: number
  /** A recipient with a mailbox here. */
  readonly local: string
  /** A recipient whose mail goes on to the sink. */
  readonly remote: string
  /** Messages that are durably in the mailbox, or that the sink has taken, since the start. */
  done(work: Work): number | Promise<number>
  /** Commits so far, where the server has such a thing. */
  commits?(): Promise<number>
  /** Where LMTP is spoken, by those who do. */
  readonly lmtpPort?: number
  stop(): Promise<void>
}

/** accept: it only takes; deliver: into a mailbox; relay: through the queue to the sink. */
export type Work = 'accept' | 'deliver' | 'relay'
