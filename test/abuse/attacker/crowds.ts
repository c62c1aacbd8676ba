/** Who is many: connections by the thousand, resets, logins that are wrong, sessions that wait for mail. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Attack, DOORS, imap, over, Raw, rest } from './attack.ts'

/** From many addresses: this machine has all of 127.0.0.0/8. */
const from = (n: number) => `127.0.${(n >> 7) % 250}.${1 + (n % 127)}`

const crowd: Attack = {
  name: 'crowd',
  run: async (victim, time) => {
    const wanted = 1000 * time.scale
    const all: Raw[] = []
    for (let n = 0; n < wanted && time.left() > 0; n += 50) {
      const some = Array.from({ length: 50 }, (_, m) =>
        Raw.to(victim, DOORS[(n + m) % 4] as string, from(n + m)),
      )
      all.push(...(await Promise.all(some)))
    }
    const stood = all.filter(raw => !raw.gone).length
    await rest(time)
    for (const raw of all) raw.end()
    return { connections: all.length, stood }
  },
}

const resets: Attack = {
  name: 'resets',
  run: async (victim, time) => {
    let n = 0
    const count = await over(time, 20, async () => {
      const raw = await Raw.to(victim, DOORS[n++ % 4] as string, from(n))
      if (n % 2 === 0) await raw.write('EHLO x\r\nMAIL FROM:<a@b.example>\r\n')
      raw.socket.resetAndDestroy()
      await sleep(1)
    })
    return { resets: count }
  },
}

/** Each wrong password costs a hash: who can make the server hash, makes it slow. */
const logins: Attack = {
  name: 'logins',
  run: async (victim, time) => {
    const secret = Buffer.from(`\0${victim.address}\0wrong`).toString('base64')
    const count = await over(time, 10, async () => {
      const raw = await Raw.to(victim, 'submissions')
      await raw.until(/^220 /m)
      await raw.say('EHLO x', /^250 /m)
      for (let n = 0; n < 3 && !raw.gone && time.left() > 0; n++) {
        await raw.say(`AUTH PLAIN ${secret}`, /^\d\d\d /m)
      }
      raw.end()
    })
    return { sessions: count }
  },
}

const idlers: Attack = {
  name: 'idle',
  run: async (victim, time) => {
    const idle = await Promise.all(Array.from({ length: 20 * time.scale }, () => imap(victim)))
    for (const raw of idle) await raw.say('c IDLE', /^\+/m)
    // Each message wakes them all; and some come and go all the time.
    const turns = await over(time, 5, async () => {
      const raw = idle[Math.floor(Math.random() * idle.length)] as Raw
      await raw.say('DONE\r\nd IDLE', /^\+/m)
    })
    for (const raw of idle) raw.end()
    return { idle: idle.length, turns }
  },
}

export const crowds: readonly Attack[] = [crowd, resets, logins, idlers]
