/**
 * Facts and powers of our own process: signals, users and groups, giving up root, and the sockets
 * that systemd hands over. Called by server/ and cli/ only.
 */
import { readFileSync } from 'node:fs'

export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGUSR2'

/** Calls `run` at each of these signals; the result takes the handlers away again. */
export function onSignals(signals: readonly Signal[], run: (signal: Signal) => void): () => void {
  const handlers = signals.map(signal => ({ signal, handler: () => run(signal) }))
  for (const { signal, handler } of handlers) process.on(signal, handler)
  return () => {
    for (const { signal, handler } of handlers) process.off(signal, handler)
  }
}

/** True when this process may do anything (effective user id 0); never on Windows. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0
}

export interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

/** A user by name or number, from /etc/passwd (its form: passwd(5)). */
export function findUser(
  nameOrUid: string | number,
  passwd = read('/etc/passwd'),
): User | undefined {
  for (const line of passwd.split('\n')) {
    const [name, , uid, gid, , home] = line.split(':')
    if (name === undefined || uid === undefined || gid === undefined) continue
    if (name !== String(nameOrUid) && uid !== String(nameOrUid)) continue
    return { name, uid: Number(uid), gid: Number(gid), home: home ?? '/' }
  }
  return undefined
}

/** A group's number by its name, from /etc/group (group(5)). */
export function findGroup(name: string, group = read('/etc/group')): number | undefined {
  for (const line of group.split('\n')) {
    const [found, , gid] = line.split(':')
    if (found === name && gid !== undefined) return Number(gid)
  }
  return undefined
}

/**
 * Gives up root for good: supplementary groups, group, user, in this order. Throws when the system
 * refuses, and when root could be had back afterwards.
 */
export function dropPrivileges(user: User, gid: number = user.gid): void {
  const { setgid, setuid } = process
  const { initgroups } = process as {
    // Documented, but missing in the types of Node 24.
    readonly initgroups?: (user: string, extraGroup: number) => void
  }
  if (!initgroups || !setgid || !setuid) throw new Error('this system has no users to change to')
  if (user.uid === 0) throw new Error('the user to drop to is root')
  initgroups(user.name, gid)
  setgid(gid)
  setuid(user.uid)
  let regained = true
  try {
    process.setuid?.(0)
  } catch {
    regained = false
  }
  if (regained) throw new Error('root could be regained after giving it up')
}

/** Sockets that systemd opened for us (sd_listen_fds(3)), with their FileDescriptorName. */
export function inheritedSockets(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  pid: number = process.pid,
): readonly { readonly fd: number; readonly name: string }[] {
  const count = Number(environment['LISTEN_FDS'] ?? 0)
  // bin/postrider execs node, so the process systemd started is the one that runs.
  if (environment['LISTEN_PID'] !== String(pid) || !Number.isInteger(count)) return []
  const names = (environment['LISTEN_FDNAMES'] ?? '').split(':')
  return Array.from({ length: Math.max(0, Math.min(count, 64)) }, (_, i) => ({
    fd: 3 + i,
    name: names[i] ?? '',
  }))
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** How many descriptors this process may have open (the soft limit, getrlimit(2)); undefined where the system does not say. */
export function descriptorLimit(): number | undefined {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(read('/proc/self/limits')) ?? []
  return soft === undefined ? undefined : Number(soft)
}
