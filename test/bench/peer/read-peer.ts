/** What the bench of reading needs of a server: it takes mail by LMTP and gives it by IMAP and POP3. */
export interface ReadPeer {
  readonly name: string
  /** The process whose tree is measured. */
  readonly pid: number
  readonly ports: {
    readonly imap: number
    readonly pop3: number
    readonly lmtp: number
    /** Where it was given a certificate. */
    readonly imaps?: number
  }
  /** As RCPT TO names the mailbox. */
  readonly recipient: string
  readonly username: string
  readonly password: string
  stop(): Promise<void>
}
