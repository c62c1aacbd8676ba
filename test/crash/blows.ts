/**
 * What befalls a real process while it works, for endure.ts: each blow says how the server is started, what is
 * done to it under load, and ends with it gone. Whatever a machine has not (root, libfiu, faketime) is left
 * out, and said.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { newFolder, type Server, type ServerOptions } from '../kit/server.ts'
import type { SmallDisk } from '../kit/small-disk.ts'

export interface Scene {
  readonly disk: SmallDisk | undefined
  /** Chance from 0 up to 1. */
  readonly random: () => number
}

export interface Blow {
  readonly name: string
  /** Undefined where it cannot be done here. */
  readonly options: (scene: Scene) => Pick<ServerOptions, 'under' | 'env'> | undefined
  /** Strikes a server under load. Afterwards it is ended by SIGKILL, if it still runs. */
  readonly strike: (server: Server, scene: Scene) => Promise<unknown>
  /** Behind its end. */
  readonly mend?: (scene: Scene) => void
}

const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1'
const clockFile = join(newFolder('faketime'), 'offset')
const hasFiu = spawnSync('fiu-ctrl', ['-h']).error === undefined
const plain = () => ({})
const onDisk = ({ disk }: Scene) => (disk === undefined ? undefined : {})
const a = (scene: Scene, fromMs: number, toMs: number) =>
  sleep(fromMs + scene.random() * (toMs - fromMs))

function fiu(order: string): Blow['strike'] {
  return async (server, scene) => {
    await a(scene, 100, 600)
    spawnSync('fiu-ctrl', ['-c', order, String(server.pid)])
    await a(scene, 500, 3_000)
    if (scene.random() < 0.5)
      spawnSync('fiu-ctrl', [
        '-c',
        `disable ${order.split(' ')[1]?.split(',')[0]}`,
        String(server.pid),
      ])
    await a(scene, 0, 500)
  }
}

const underFiu = () => (hasFiu ? { under: ['fiu-run', '-x'] } : undefined)

export const blows: readonly Blow[] = [
  { name: 'killed', options: plain, strike: (_, scene) => a(scene, 50, 1_500) },
  { name: 'killed at its start', options: plain, strike: (_, scene) => a(scene, 0, 60) },
  {
    name: 'stopped and continued',
    options: plain,
    async strike(server, scene) {
      await a(scene, 50, 600)
      server.signal('SIGSTOP')
      await a(scene, 100, 3_000)
      server.signal('SIGCONT')
      await a(scene, 0, 700)
    },
  },
  {
    name: 'told to go',
    options: plain,
    async strike(server, scene) {
      await a(scene, 50, 800)
      server.signal('SIGTERM')
      await Promise.race([server.ended, a(scene, 0, 4_000)])
    },
  },
  {
    name: 'few descriptors',
    options: () => ({ under: ['prlimit', '--nofile=64:64'] }),
    strike: (_, scene) => a(scene, 500, 2_500),
  },
  {
    name: 'little memory',
    options: () => ({ env: { NODE_OPTIONS: '--max-old-space-size=48' } }),
    strike: (_, scene) => a(scene, 500, 2_500),
  },
  {
    name: 'syncs that fail',
    options: underFiu,
    strike: fiu('enable_random name=posix/io/sync/*,probability=0.2,failinfo=5'),
  },
  {
    name: 'writes that fail',
    options: underFiu,
    strike: fiu('enable_random name=posix/io/rw/pwrite*,probability=0.02,failinfo=5'),
  },
  {
    name: 'writes without room',
    options: underFiu,
    strike: fiu('enable_random name=posix/io/rw/pwrite*,probability=0.02,failinfo=28'),
  },
  {
    name: 'reads that fail',
    options: underFiu,
    strike: fiu('enable_random name=posix/io/rw/pread*,probability=0.01,failinfo=5'),
  },
  {
    name: 'clock that jumps',
    options() {
      if (!existsSync(FAKETIME)) return undefined
      writeFileSync(clockFile, '+0\n')
      const env = {
        LD_PRELOAD: FAKETIME,
        FAKETIME_TIMESTAMP_FILE: clockFile,
        FAKETIME_NO_CACHE: '1',
      }
      return { env: { ...env, FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' } }
    },
    async strike(_, scene) {
      for (const offset of ['+1d', '-1d', '+2h', '-1h', '+10m']) {
        await a(scene, 200, 900)
        writeFileSync(clockFile, `${offset}\n`)
      }
      await a(scene, 100, 500)
    },
  },
  {
    name: 'disk full',
    options: onDisk,
    async strike(_, scene) {
      await a(scene, 100, 600)
      scene.disk?.fill(Math.floor(scene.random() * 2_000_000))
      await a(scene, 300, 2_000)
      if (scene.random() < 0.5) scene.disk?.relieve()
      await a(scene, 100, 600)
    },
    mend: ({ disk }) => disk?.relieve(),
  },
  {
    name: 'disk read-only',
    options: onDisk,
    async strike(_, scene) {
      await a(scene, 100, 800)
      // The kernel refuses while files are open for writing; an error on the device does what it will not.
      if (scene.disk?.readOnly(true)) await a(scene, 300, 1_500)
      scene.disk?.readOnly(false)
      await a(scene, 100, 600)
    },
    mend: ({ disk }) => disk?.readOnly(false),
  },
  {
    name: 'power cut',
    options: onDisk,
    async strike(_, scene) {
      await a(scene, 100, 1_500)
      scene.disk?.cut()
      await a(scene, 0, 400)
    },
    mend({ disk }) {
      if (disk?.again() === false) throw new Error('the disk cannot be mounted again')
    },
  },
]
