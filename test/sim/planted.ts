/**
 * Bugs as somebody might write them, planted into the town from outside: methods and SQL of the product are
 * replaced in this process, and put back. planted.test.ts asks whether the oracle sees each.
 */
import type { Acceptance } from '../../src/queue/acceptance.ts'
import { Spool } from '../../src/queue/spool.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { Transaction } from '../../src/store/transaction.ts'
import { Worker } from '../../src/transport/worker.ts'
import type { StagedBody } from '../../src/world/disk.ts'
import { SimDisk } from '../../src/world/sim/disk.ts'
import { storm } from './storm.ts'
import type { Town } from './town.ts'

/** Seeds that are tried where the one that is known has gone stale. */
const OTHERS = Array.from({ length: 10 }, (_, n) => n + 1)

export interface Bug {
  readonly what: string
  /** A storm that is known to meet it; another may have to be looked for when the town has changed. */
  readonly seed: number
  /** Not in the default suite, for its time: `npm run sim -- --planted` has all. */
  readonly extended?: true
  /** Some rule of the oracle that must be broken by it. */
  readonly seen: RegExp
  /** Plants it; what it gives takes it out again. */
  readonly plant: () => () => void
  /** Weather without which few storms meet it. */
  readonly weather?: (town: Town) => void
}

/** Puts another method in place; what it gives puts the old one back. */
function replace<Class extends object, Name extends keyof Class>(
  prototype: Class,
  name: Name,
  make: (old: Class[Name]) => Class[Name],
): () => void {
  const old = prototype[name]
  prototype[name] = make(old)
  return () => {
    prototype[name] = old
  }
}

/** Every statement that holds the one text is run with the other in its place. */
function sql(from: string, to: string): () => () => void {
  return () => {
    const names = ['run', 'all', 'get', 'many'] as const
    const prototype = Transaction.prototype as unknown as Record<
      string,
      (...all: unknown[]) => unknown
    >
    const undo = names.map(name =>
      replace(prototype, name, old => {
        return function (this: unknown, text: unknown, ...values: unknown[]) {
          return old?.call(this, String(text).replace(from, to), ...values)
        }
      }),
    )
    return () => {
      for (const one of undo) one()
    }
  }
}

/** What a writer of this name is given is given to it as something else; undefined is not written at all. */
function write(name: string, change: (input: never) => unknown): () => () => void {
  return () =>
    replace(MemoryStore.prototype, 'write', old => {
      return function (this: MemoryStore, writer, input, moved) {
        if (writer.name !== name) return old.call(this, writer as never, input, moved) as never
        const changed = change(input as never)
        if (changed === undefined) return Promise.resolve(null) as never
        return old.call(this, writer as never, changed) as never
      }
    })
}

/** Every so many commits find the disk full. */
function fullNowAndThen(town: Town): void {
  for (const server of town.nodes) {
    const { faultAt, writeFaultAt } = server
    const full = (n: number) => (n % 10 === 0 ? FULL : undefined)
    if (server.isShared) server.writeFaultAt = n => full(n) ?? writeFaultAt?.(n)
    else server.faultAt = n => full(n) ?? faultAt?.(n)
  }
}

const FULL = { at: 'before commit', how: 'full' } as const

export const bugs: readonly Bug[] = [
  {
    what: 'a 250 before the commit',
    seed: 1,
    seen: /who was taken arrives or is reported/,
    weather: fullNowAndThen,
    plant: () =>
      replace(Spool.prototype, 'accept', old => {
        return async function (this: Spool, submission) {
          void old.call(this, submission).catch(() => {})
          return []
        }
      }),
  },
  {
    what: 'a lease that is not looked at',
    seed: 1,
    seen: /a second copy needs a doubt/,
    plant: sql(
      `state IN ('queued', 'leased') AND due_at <= :now`,
      `(state = 'leased' OR state = 'queued' AND due_at <= :now)`,
    ),
  },
  {
    what: 'a wake-up that is lost',
    seed: 6,
    seen: /what is due is on its way/,
    plant() {
      const undo = replace(MemoryStore.prototype, 'wake', () => () => {})
      // A notice that rests is let go by what is settled behind it, which needs no wake-up: none rests here.
      const own = Object.getOwnPropertyDescriptor(Worker.prototype, 'restMs') as PropertyDescriptor
      Object.defineProperty(Worker.prototype, 'restMs', { ...own, get: () => 0 })
      return () => {
        undo()
        Object.defineProperty(Worker.prototype, 'restMs', own)
      }
    },
  },
  {
    what: 'a body that is not synced',
    seed: 9,
    seen: /the store is whole|can be read/,
    plant: () =>
      replace(SimDisk.prototype, 'mount', old => {
        return function (this: SimDisk, host) {
          const disk = old.call(this, host)
          const stage = async (): Promise<StagedBody> => {
            const body = await disk.stage()
            return { ...body, seal: async () => {} }
          }
          return { ...disk, stage }
        }
      }),
  },
  {
    what: 'a body that is swept while a row names it',
    seed: 1,
    extended: true,
    seen: /the store is whole|can be read/,
    plant: () =>
      replace(MemoryStore.prototype, 'read', old => {
        return function (this: MemoryStore, reader, input) {
          if (reader.name === 'store.stagedIsNamed') return Promise.resolve(undefined) as never
          return old.call(this, reader as never, input) as never
        }
      }),
  },
  {
    what: 'a notice that is forgotten',
    seed: 2,
    seen: /who was taken arrives or is reported/,
    plant: write('queue.settle', (input: object) => ({ ...input, notices: [] })),
  },
  {
    what: 'an octet that changes',
    seed: 1,
    seen: /what arrives is what was sent/,
    plant: write('queue.accept', (input: Acceptance) => {
      if (!(input.body instanceof Uint8Array) || input.body.length < 600) return input
      const body = Uint8Array.from(input.body)
      body[500] = 0x21
      return { ...input, body }
    }),
  },
  {
    what: 'a count that is not kept',
    seed: 1,
    extended: true,
    seen: /the store is whole.*counts its messages/,
    plant: sql('messages = messages - ?2', 'messages = messages - ?2 + 1'),
  },
  {
    what: 'an expunge in the wrong mailbox',
    seed: 9,
    extended: true,
    seen: /nobody but its reader takes mail away/,
    plant: write('mailbox.expungeSlice', (input: { mailboxId: number }) => ({
      ...input,
      mailboxId: Math.max(1, input.mailboxId - 1),
    })),
  },
  {
    what: 'a UID that is given again',
    seed: 1,
    extended: true,
    seen: /UIDs went back|was given before|place has one message/,
    plant: sql(
      'SET mod_seq = mod_seq + 1, messages = messages - ?2',
      'SET uid_next = uid_next - 1, mod_seq = mod_seq + 1, messages = messages - ?2',
    ),
  },
]

/** Lives through storms with a bug planted; the first seed whose storm shows it, or undefined. */
export async function caughtBy({ seed, seen, plant, weather }: Bug): Promise<number | undefined> {
  for (const one of [seed, ...OTHERS]) {
    const undo = plant()
    try {
      const { broken } = await storm({ seed: one, hours: 3 }, weather)
      if (broken.some(({ rule, what }) => seen.test(`${rule}: ${what}`))) return one
    } finally {
      undo()
    }
  }
  return undefined
}
