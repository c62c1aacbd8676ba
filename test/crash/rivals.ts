/**
 * How Postrider and others stand the same blows under the same load: all of its processes killed at random, and,
 * where there is a disk of its own, that disk full, read-only, or gone as by a power cut. Then it is started once
 * more and every message is counted and compared by one judge. Nothing is asserted here: it is told. Used by torture.ts.
 */
import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { newFolder } from '../kit/server.ts'
import { Sink } from '../kit/sink.ts'
import { mountSmallDisk, type SmallDisk } from '../kit/small-disk.ts'
import type { Contestant, Standing } from './contestants.ts'
import { Load, numberOf } from './load.ts'

const KB = 1024

export interface RivalOptions {
  readonly rounds: number
  readonly random: () => number
  /** On a disk of its own, with blows for the disk; only killed if not given. */
  readonly diskMb?: number
  readonly tell?: (line: string) => void
}

export interface RivalReport {
  readonly blows: Readonly<Record<string, number>>
  readonly acknowledged: number
  /** Acknowledged, and nowhere: in the mailbox, or for the outside. */
  readonly lost: number
  readonly lostRemote: number
  /** Stored more than once, relayed more than once. */
  readonly twice: number
  readonly relayed: number
  readonly relayedTwice: number
  /** Not octet for octet; there though their end was never sent. */
  readonly spoilt: number
  readonly strange: number
  /** No answer was read behind the end; and how many of these are there. */
  readonly doubtful: number
  readonly doubtfulStored: number
  readonly deferred: number
}

const between = (random: () => number, fromMs: number, toMs: number) =>
  sleep(fromMs + random() * (toMs - fromMs))

interface Blow {
  readonly name: string
  strike(disk: SmallDisk, random: () => number): Promise<void>
  mend(disk: SmallDisk): void
}

/** Each is followed by the end of all processes. */
const diskBlows: readonly Blow[] = [
  {
    name: 'power cut',
    async strike(disk, random) {
      await between(random, 300, 2_000)
      disk.cut()
      await between(random, 0, 300)
    },
    mend(disk) {
      if (!disk.again()) throw new Error('the disk cannot be mounted again')
    },
  },
  {
    name: 'disk full',
    async strike(disk, random) {
      await between(random, 300, 1_000)
      disk.fill(Math.floor(random() * 2_000_000))
      await between(random, 500, 2_000)
    },
    mend: disk => disk.relieve(),
  },
  {
    name: 'disk read-only',
    async strike(disk, random) {
      await between(random, 300, 1_000)
      disk.readOnly(true)
      await between(random, 300, 1_000)
    },
    mend: disk => disk.readOnly(false),
  },
]

/** Strikes one of them, and judges. */
export async function stand(who: Contestant, options: RivalOptions): Promise<RivalReport> {
  const { diskMb, random, rounds, tell } = options
  const disk = diskMb === undefined ? undefined : mountSmallDisk(diskMb)
  const folder = disk?.folder ?? newFolder('rival')
  mkdirSync(folder, { recursive: true })
  // Their processes are of other users, and must come there.
  if (disk) chmodSync(dirname(folder), 0o755)
  const sink = await Sink.open()
  const blows: Record<string, number> = {}
  const load = new Load({
    senders: 8,
    sizes: [900, 3 * KB, 500, 200 * KB, 12 * KB, 700, 130 * KB, 2 * KB],
    remote: true,
    restMs: disk === undefined ? 0 : 20,
  })
  try {
    for (let round = 0; round < rounds; round++) {
      const standing = await who.start(folder, sink.port)
      load.start(standing)
      const blow = random() < 0.4 ? undefined : diskBlows[round % diskBlows.length]
      const name = disk && blow ? blow.name : 'killed'
      if (disk && blow) await blow.strike(disk, random)
      else await between(random, 200, 1_500)
      await standing.kill()
      await load.stop()
      if (disk && blow) blow.mend(disk)
      blows[name] = (blows[name] ?? 0) + 1
      tell?.(`${who.name}: ${name}, ${load.sent.acknowledged.size} acknowledged`)
    }
    const standing = await who.start(folder, sink.port)
    const report = await judge(standing, load, sink)
    await standing.kill()
    return { blows, ...report }
  } finally {
    sink.close()
    disk?.close()
  }
}

async function judge(
  standing: Standing,
  load: Load,
  sink: Sink,
): Promise<Omit<RivalReport, 'blows'>> {
  const { acknowledged, acknowledgedRemote, doubtful, deferred } = load.sent
  await quiet(standing, sink, acknowledged.size)
  const { seen, spoilt } = await stored(standing)
  const relayed = new Map<number, number>()
  let spoiltOutside = 0
  for (const message of sink.messages) spoiltOutside += count(relayed, message) ? 0 : 1
  const known = (n: number) => acknowledged.has(n) || doubtful.has(n) || deferred.has(n)
  const many = (times: ReadonlyMap<number, number>) =>
    [...times.values()].filter(each => each > 1).length
  return {
    acknowledged: acknowledged.size,
    lost: [...acknowledged].filter(n => !seen.has(n)).length,
    lostRemote: [...acknowledgedRemote].filter(n => !relayed.has(n)).length,
    twice: many(seen),
    relayed: relayed.size,
    relayedTwice: many(relayed),
    spoilt: spoilt + spoiltOutside,
    strange: [...seen.keys()].filter(n => !known(n)).length,
    doubtful: doubtful.size,
    doubtfulStored: [...doubtful].filter(n => seen.has(n)).length,
    deferred: deferred.size,
  }
}

/** Waits until nothing comes any more: 10 s without a change once all may be there, 90 s in any case. */
async function quiet(standing: Standing, sink: Sink, wanted: number): Promise<void> {
  const there = async () => {
    const reader = await standing.pop3()
    const total = Number((await reader.ask('STAT')).split(' ')[1])
    await reader.ask('QUIT')
    reader.end()
    return total
  }
  let [last, rests] = ['', 0]
  for (let tries = 0; tries < 90 && rests < 10; tries++) {
    const total = await there().catch(() => -1)
    const now = `${total} ${sink.messages.length}`
    rests = now === last && total >= wanted ? rests + 1 : 0
    last = now
    await sleep(1_000)
  }
}

/**
 * Reads all. One who hangs up is asked again for everything: an index is mended by the next log-in. What he hangs
 * up at twice is not whole.
 */
async function stored(standing: Standing): Promise<{ seen: Map<number, number>; spoilt: number }> {
  const bad = new Map<number, number>()
  for (;;) {
    let [place, spoilt] = [0, 0]
    const seen = new Map<number, number>()
    try {
      const reader = await standing.pop3()
      const total = Number((await reader.ask('STAT')).split(' ')[1])
      for (place = 1; place <= total; place++) {
        const status = (bad.get(place) ?? 0) > 1 ? '' : await reader.ask(`RETR ${place}`)
        const whole = status.startsWith('+OK') && count(seen, await reader.multiline())
        if (!whole) spoilt++
      }
      reader.end()
      return { seen, spoilt }
    } catch (error) {
      const times = (bad.get(place) ?? 0) + 1
      bad.set(place, times)
      if (place === 0 && times > 20) throw error
      await sleep(500)
    }
  }
}

/** Counts a message that is whole; false for one that is not. */
function count(seen: Map<number, number>, message: Buffer): boolean {
  const number = numberOf(message)
  if (number === undefined) return false
  seen.set(number, (seen.get(number) ?? 0) + 1)
  return true
}
