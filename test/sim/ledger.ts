/**
 * Watches one store of the town: after each commit it compares the rows with those before and
 * writes down what changed, in order. It also holds the store to what must never happen between
 * two commits, whatever happens to the machine. Read by trace.ts and oracle.ts.
 */
import type { Read } from '../../src/world/sql.ts'

export interface RecipientState {
  readonly message_id: string
  readonly n: number
  readonly address: string
  readonly state: string
  readonly status: string | null
  readonly reason: string | null
  readonly attempts: number
  readonly doubts: number
}

interface KeptState {
  readonly mailbox_id: number
  readonly uid: number
  readonly message_id: string
}

/** Mail that is not where it was. */
interface Vanished {
  readonly address: string
  /** As a reader has it (readers.ts). */
  readonly place: string
}

interface MailboxState {
  readonly id: number
  readonly name: string
  readonly address: string
  readonly uid_next: number
  readonly uid_validity: number
}

const FINAL = new Set(['delivered', 'relayed', 'expanded', 'failed', 'expired', 'deleted'])

export class Ledger {
  /** What must never happen and did. */
  readonly faults: string[] = []
  /** True time at which each message was first seen here: the clocks of the ledgers may jump. */
  readonly seenAt = new Map<string, number>()
  /** When it came to stand here that nobody knows whether a message was relayed. */
  readonly doubts: { readonly id: string; readonly at: number }[] = []
  /** How often each message came into an INBOX, whatever became of it there. */
  readonly arrived = new Map<string, number>()
  readonly vanished: Vanished[] = []
  readonly #say: (line: string) => void
  readonly #now: () => number
  #rows = new Map<string, RecipientState>()
  #kept = new Set<string>()
  #mailboxes = new Map<number, MailboxState>()
  #begun = false

  constructor(now: () => number, say: (line: string) => void) {
    this.#now = now
    this.#say = say
  }

  begin(): void {
    this.#begun = true
  }

  note(line: string): void {
    this.#say(line)
  }

  /** Called with what stands after a commit. */
  async look(tx: Read, commit: number): Promise<void> {
    if (!this.#begun) return
    const said = [...(await this.#mailboxesOf(tx)), ...(await this.#recipientsOf(tx))]
    for (const line of said) this.#say(`commit ${commit}: ${line}`)
    const doubts = await tx.all<{ id: string }>(
      `SELECT message_id AS id FROM attempt WHERE outcome = 'in doubt' ORDER BY at`,
    )
    for (const { id } of doubts.slice(this.doubts.length)) this.doubts.push({ id, at: this.#now() })
  }

  async #recipientsOf(tx: Read): Promise<string[]> {
    const said: string[] = []
    const rows = await tx.all<RecipientState>(
      `SELECT message_id, n, address, state, status, reason, attempts, doubts FROM recipient
       ORDER BY message_id, n`,
    )
    const now = new Map(rows.map(row => [`${row.message_id} ${row.n}`, row]))
    for (const [key, row] of now) {
      const before = this.#rows.get(key)
      if (!this.seenAt.has(row.message_id)) this.seenAt.set(row.message_id, this.#now())
      if (before?.state === row.state && before.attempts === row.attempts) continue
      const what = `${row.message_id} to ${row.address}`
      if (before && before.doubts > row.doubts) this.faults.push(`${what}: a doubt was forgotten`)
      if (before && FINAL.has(before.state)) {
        this.faults.push(`${what}: ${before.state} -> ${row.state}, but ${before.state} is final`)
      }
      const why = row.status === null ? '' : ` (${row.status} ${row.reason})`
      said.push(`${what}: ${before?.state ?? 'new'} -> ${row.state}${why}`)
    }
    for (const [key, row] of this.#rows) {
      if (!now.has(key) && !FINAL.has(row.state)) this.faults.push(`recipient ${key} vanished`)
    }
    this.#rows = now
    return said
  }

  async #mailboxesOf(tx: Read): Promise<string[]> {
    const said: string[] = []
    const boxes = await tx.all<MailboxState>(
      `SELECT m.id, m.name, a.address, m.uid_next, m.uid_validity
       FROM mailbox m JOIN account a ON a.id = m.account_id`,
    )
    const kept = await tx.all<KeptState>(
      'SELECT mailbox_id, uid, message_id FROM mailbox_message ORDER BY mailbox_id, uid',
    )
    const before = this.#mailboxes
    this.#mailboxes = new Map(boxes.map(box => [box.id, box]))
    for (const box of boxes) {
      const old = before.get(box.id)
      if (old && (old.uid_next > box.uid_next || old.uid_validity !== box.uid_validity)) {
        this.faults.push(`${box.address} ${box.name}: UIDs went back`)
      }
    }
    const keys = new Set<string>()
    for (const { mailbox_id, uid, message_id } of kept) {
      const key = `${mailbox_id} ${uid} ${message_id}`
      keys.add(key)
      if (this.#kept.has(key)) continue
      const box = this.#mailboxes.get(mailbox_id)
      const where = `${box?.name} of ${box?.address}`
      said.push(`${where}: UID ${uid} is ${message_id}`)
      if (box?.name === 'INBOX') {
        this.arrived.set(message_id, (this.arrived.get(message_id) ?? 0) + 1)
      }
      if (uid < (before.get(mailbox_id)?.uid_next ?? 1)) {
        this.faults.push(`${where}: UID ${uid} was given before`)
      }
    }
    for (const key of this.#kept) {
      const [id = '', uid = '', message = ''] = key.split(' ')
      const box = this.#mailboxes.get(Number(id)) ?? before.get(Number(id))
      if (keys.has(key) || box === undefined) continue
      this.vanished.push({ address: box.address, place: `${box.uid_validity}.${uid}` })
      said.push(`${box.name} of ${box.address}: UID ${uid}, ${message}, is gone`)
    }
    this.#kept = keys
    return said
  }
}
