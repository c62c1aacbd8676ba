/**
 * The sockets by which a program of this machine hands in mail, and a command reaches a server of which no config
 * has to say where it is. Apart from locate.ts, because `sendmail` may read no config, and because neither should wait
 * for the schemas of all settings.
 */
import { dirname, join, resolve } from 'node:path'
import { configsIn, currentFolder, pathExists } from '../world/node/config-file.ts'
import type { CommonOptions, Face } from './face.ts'

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

/** The control socket of the server whose data folder is all that names it. */
export function controlSocket(face: Face, options: CommonOptions): string | undefined {
  const configured = options.config ?? face.terminal.env('POSTRIDER_CONFIG')
  if (configured !== undefined && configured !== '') return undefined
  const data = options.data ?? demoHere(face, options)
  return data === undefined ? undefined : resolve(currentFolder(), data, 'control.sock')
}

/** The folder of a demo that was started here, where nothing names another server. */
export function demoHere({ terminal }: Face, { data, config }: CommonOptions): string | undefined {
  const environment = terminal.env('POSTRIDER_DATA') || terminal.env('POSTRIDER_CONFIG')
  if (data !== undefined || config !== undefined || environment) return undefined
  if (configsIn(currentFolder()).length > 0) return undefined
  const folder = resolve(currentFolder(), DEMO_FOLDER)
  return pathExists(folder) ? folder : undefined
}
