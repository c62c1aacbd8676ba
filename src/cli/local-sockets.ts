/**
 * The sockets by which a program of this machine hands in mail. Apart from locate.ts, because
 * `sendmail` has no config, may read none, and should start quickly.
 */
import { dirname, join, resolve } from 'node:path'
import { currentFolder, pathExists } from '../world/node/config-file.ts'
import type { Face } from './face.ts'

/** The data folder of `--demo`, in the folder it is started in (server/settings/layers.ts). */
const DEMO_FOLDER = 'postrider-data'

/** The sockets that `sendmail` tries, in order: it has no config and may read none. */
export function localSockets(face: Face, data: string | undefined): string[] {
  const { terminal } = face
  const socket = terminal.env('POSTRIDER_SOCKET')
  if (socket !== undefined && socket !== '') return [socket]
  const folder = data ?? terminal.env('POSTRIDER_DATA')
  if (folder !== undefined && folder !== '') return [resolve(currentFolder(), folder, 'local.sock')]
  const places = [
    '/run/postrider/local.sock',
    '/var/lib/postrider/local.sock',
    join(resolve(currentFolder(), DEMO_FOLDER), 'local.sock'),
  ]
  const present = places.filter(pathExists)
  return present.length > 0 ? present : places
}

/** The sockets by which connections of strangers are handed over: beside the local ones. */
export function inetdSockets(face: Face, data: string | undefined): string[] {
  return localSockets(face, data).map(path => join(dirname(path), 'inetd.sock'))
}
