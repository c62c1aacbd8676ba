/** What the scripted policy (scripted.ts) answers beside messages: quota, notes and rights. */
import { ALL_RIGHTS, changedRights } from './right.ts'
import type { Answer, No, Question, Quota } from './server/question.ts'

export type ExtraQuestion = Extract<
  Question,
  {
    readonly kind:
      | 'quota'
      | 'quota roots'
      | 'metadata'
      | 'annotate'
      | 'rights'
      | 'acl'
      | 'set rights'
      | 'sign url'
      | 'reset key'
      | 'fetch url'
  }
>

const nothing: No = { kind: 'no', code: 'NONEXISTENT', why: 'there is no such mailbox' }

export class ScriptedExtras {
  readonly quota: Quota = {
    root: 'joe@example.org',
    resources: [
      { name: 'STORAGE', used: 10, limit: 512 },
      { name: 'MESSAGE', used: 3, limit: 100 },
    ],
  }
  #key = 'aa'
  readonly #rights = new Map<string, Map<string, string>>()
  readonly #notes = new Map<string, Map<string, string>>()

  answer(question: ExtraQuestion, exists: (mailbox: string) => boolean): Answer {
    switch (question.kind) {
      case 'quota':
        return question.root === this.quota.root
          ? { kind: 'quota', quota: this.quota }
          : { ...nothing, why: 'there is no such root' }
      case 'quota roots':
        return { kind: 'quotas', quotas: [this.quota] }
      case 'rights':
        return exists(question.mailbox) ? { kind: 'rights', rights: ALL_RIGHTS } : nothing
      case 'acl': {
        if (!exists(question.mailbox)) return nothing
        const entries = [...this.#rightsAt(question.mailbox)].map(([identifier, rights]) => ({
          identifier,
          rights,
        }))
        return { kind: 'acl', owner: 'joe@example.org', entries }
      }
      case 'set rights': {
        if (!exists(question.mailbox)) return nothing
        const { identifier, mode, rights } = question
        const all = this.#rightsAt(question.mailbox)
        const changed = changedRights(all.get(identifier) ?? '', mode, rights)
        if (changed === '') all.delete(identifier)
        else all.set(identifier, changed)
        return { kind: 'done' }
      }
      case 'sign url':
        return exists(question.url.mailbox) ? { kind: 'signed', token: `01${this.#key}` } : nothing
      case 'reset key':
        this.#key = 'bb'
        return { kind: 'done' }
      case 'fetch url': {
        const right = question.url.authority?.token === `01${this.#key}`
        const content = Buffer.from('Hello\r\n')
        if (!right) return { kind: 'absent' }
        if (question.url.uid === 2) return { kind: 'named', data: { kind: 'unknown encoding' } }
        const encoding = question.as === 'binary' ? 'BINARY' : '7BIT'
        const structure = `("TEXT" "PLAIN" NIL NIL NIL "${encoding}" 7 1)`
        const data = { kind: 'octets', sizeOctets: 7, content } as const
        return { kind: 'named', data, ...(question.structure && { structure }) }
      }
      case 'metadata':
      case 'annotate': {
        const { mailbox } = question
        if (mailbox !== '' && !exists(mailbox)) return nothing
        return this.#annotations(question)
      }
    }
  }

  #rightsAt(mailbox: string): Map<string, string> {
    const all = this.#rights.get(mailbox) ?? new Map<string, string>()
    this.#rights.set(mailbox, all)
    return all
  }

  #annotations(question: Extract<ExtraQuestion, { kind: 'metadata' | 'annotate' }>): Answer {
    const notes = this.#notes.get(question.mailbox) ?? new Map<string, string>()
    if (question.kind === 'metadata') {
      const annotations = [...notes].map(([entry, value]) => ({ entry, value }))
      return { kind: 'metadata', annotations }
    }
    for (const { entry, value } of question.annotations) {
      if (value === undefined) notes.delete(entry)
      else notes.set(entry, value)
    }
    this.#notes.set(question.mailbox, notes)
    return { kind: 'done' }
  }
}
