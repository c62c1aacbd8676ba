/** Several peers in one cell: each afresh in a folder of its own, all ended behind it; who fails is out, and said to be. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Contestant, Place } from '../contestants.ts'
import { type CertificateFiles, makeCertificate } from '../peer/certificate.ts'
import type { Peer, Work } from '../peer/peer.ts'
import { startSink } from '../peer/sink.ts'

export interface Contest {
  readonly peers: ReadonlyMap<string, Peer>
  readonly failed: Record<string, string>
  /** Does something with a peer; who fails is out from there on. */
  with(name: string, what: (peer: Peer) => Promise<void>): Promise<void>
}

export async function contest(
  root: string,
  work: Work,
  contestants: readonly Contestant[],
  hold: (contest: Contest) => Promise<void>,
): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(root, 'contest-'))
  // Peers' processes give root away and must still reach their folders below.
  chmodSync(folder, 0o755)
  const peers = new Map<string, Peer>()
  const failed: Record<string, string> = {}
  const stops: (() => Promise<void>)[] = []
  const out = async (name: string, error: unknown) => {
    failed[name] = reason(error)
    const peer = peers.get(name)
    peers.delete(name)
    await peer?.stop()
  }
  try {
    const certificate = await makeCertificate(folder)
    for (const one of contestants) {
      try {
        const place = await prepared(folder, work, one.name, certificate)
        stops.push(place.sink.stop)
        peers.set(one.name, await one.start(place))
      } catch (error) {
        await out(one.name, error)
      }
    }
    await hold({
      ...{ peers, failed },
      with: async (name, what) => {
        const peer = peers.get(name)
        if (peer) await what(peer).catch(error => out(name, error))
      },
    })
    return failed
  } finally {
    for (const peer of peers.values()) await peer.stop()
    for (const stop of stops) await stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

async function prepared(
  root: string,
  work: Work,
  name: string,
  certificate: CertificateFiles,
): Promise<Place> {
  const folder = join(root, name.replaceAll(' ', '-').toLowerCase())
  mkdirSync(folder)
  chmodSync(folder, 0o755)
  return { folder, work, certificate, sink: await startSink(folder, 'sink') }
}

/** The telling line of what was said, short enough for a table. */
export function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  // What a program has said stands behind its command line.
  const said = text.replace(/^.*?: exit \w+: ?/s, '')
  const lines = said.split('\n').filter(line => line.trim() !== '')
  const telling = lines.find(line => /error|fatal|warning/i.test(line)) ?? lines.at(-1)
  return (telling ?? 'killed: it took too long').trim().slice(0, 160)
}
