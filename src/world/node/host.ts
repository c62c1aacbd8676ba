/**
 * What a server needs of its process: who it is, who it becomes, what it prints, and faults that no
 * caller has caught. Used by server/start.ts only.
 */
import { chownSync } from 'node:fs'
import { hostname, networkInterfaces } from 'node:os'
import { makeFolders } from './make-folders.ts'
import { dropPrivileges, findUser, isRoot } from './process.ts'

export interface ServerProcess {
  readonly pid: number
  /** What this machine calls itself. */
  readonly host: string
  readonly startedAt: number
  print(text: string): void
  exit(code: number): never
}

export const serverProcess: ServerProcess = {
  pid: process.pid,
  host: hostname(),
  startedAt: Math.round(Date.now() - process.uptime() * 1000),
  print: text => {
    process.stdout.write(text)
  },
  exit: code => process.exit(code),
}

/** Addresses of this host's interfaces: an MX record that names one names us. */
export function hostAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap(list => (list ?? []).map(item => item.address))
}

/**
 * Calls `run` for what nobody caught. The process goes on: a session's fault is not its neighbours',
 * and the store is consistent at any instant.
 */
export function onFaults(run: (kind: string, error: unknown) => void): void {
  process.on('uncaughtException', error => run('uncaughtException', error))
  process.on('unhandledRejection', error => run('unhandledRejection', error))
}

/** The change of user that `start` is to make once sockets are bound and keys read. */
export type Becoming =
  /** `exit` is one of sysexits: 73 cannot create, 77 not allowed. */
  | { readonly refused: string; readonly exit: number }
  | {
      readonly asRoot: boolean
      /** Gives a file made so far to the user we become. */
      own(path: string): void
      drop(): void
    }

/**
 * Decides whom to serve as. Root is taken only knowingly: by the demo, or by `user: 'root'`. Makes
 * the data folder, for that user.
 */
export function become(name: string | undefined, data: string, demo: boolean): Becoming {
  const root = isRoot()
  const user = root && name !== undefined && name !== 'root' ? findUser(name) : undefined
  if (root && name === undefined && !demo) {
    return {
      exit: 77,
      refused:
        "started as root without a user to become: set `user: 'postrider'` in the config, or --user NAME",
    }
  }
  if (root && name !== undefined && name !== 'root' && !user) {
    return {
      exit: 77,
      refused: `there is no user ${name} on this machine: make one, or name another with --user`,
    }
  }
  // Others may pass through, to the socket for local mail; every other file here is private.
  try {
    makeFolders(data, 0o711)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const isFile = code === 'EEXIST' || code === 'ENOTDIR'
    const reason = isFile ? 'there is something on its way that is no folder' : message
    const remedy = 'name another with `data` or --data'
    const exit = code === 'EACCES' || code === 'EPERM' ? 77 : 73
    return { exit, refused: `the data folder ${data} cannot be made: ${reason}; ${remedy}` }
  }
  if (!user) return { asRoot: root, own() {}, drop() {} }
  chownSync(data, user.uid, user.gid)
  return {
    asRoot: false,
    own: path => chownSync(path, user.uid, user.gid),
    drop: () => dropPrivileges(user),
  }
}
