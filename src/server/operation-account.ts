/** What operations about accounts and their mail take and give: a part of operation.ts, which gives it on. */

/** What an account may hold and holds. */
export interface QuotaRecord {
  readonly address: string
  /** Undefined is no limit. */
  readonly octetsMax?: number
  readonly messagesMax?: number
  readonly octets: number
  readonly messages: number
  /** Whether a limit is its own, or the config's. */
  readonly own: { readonly octets: boolean; readonly messages: boolean }
}

/** Whom an account may write as: an address, or a pattern of them. */
export interface IdentityRecord {
  readonly pattern: string
  /** Only with the account's own name as `Sender`. */
  readonly delegate: boolean
  readonly origin: 'file' | 'rows'
}

/** An account of another server: `hash` as Dovecot writes it, `{SHA512-CRYPT}$6$...`. */
export interface ImportedAccount {
  readonly address: string
  readonly hash: string
}

/** Expunged mail of an account: of one mailbox, removed in that time. */
export interface UndeleteSelection {
  readonly address: string
  readonly mailbox?: string
  readonly since?: number
  readonly before?: number
}

export interface UndeleteItem {
  readonly mailbox: string
  readonly removedAt: number
  readonly receivedAt: number
  readonly sizeOctets: number
  readonly message: string
}
