/**
 * From what was written to what is meant: the demo's settings, the config file, the flags and
 * `--set` are laid over each other, secrets are fetched, paths made absolute. Pure but for the
 * `Lookup` that the caller gives; called by epoch.ts.
 */
import { isAbsolute, join, resolve } from 'node:path'
import type { SettingError } from './errors.ts'
import { formatPath } from './errors.ts'
import { LISTENERS, SMTP_LISTENERS } from './listener-name.ts'
import type { Raw } from './override.ts'
import { routeFaults } from './routes.ts'
import type { Config, Settings } from './settings.ts'

/** How secrets outside the config are found. */
export interface Lookup {
  readonly env: (name: string) => string | undefined
  readonly file: (path: string) => { readonly text: string } | { readonly reason: string }
}

/** What `--demo` means: unprivileged ports on loopback, a name that exists nowhere. */
export const DEMO: Config = {
  hostname: 'mail.demo.test',
  data: 'postrider-data',
  listeners: {
    smtp: { address: '127.0.0.1', port: 2525 },
    submission: { address: '127.0.0.1', port: 2587 },
    submissions: { address: '127.0.0.1', port: 2465 },
    lmtp: { enabled: true, address: '127.0.0.1', port: 2424 },
    pop3: { address: '127.0.0.1', port: 2110 },
    pop3s: { address: '127.0.0.1', port: 2995 },
    imap: { address: '127.0.0.1', port: 2143 },
    imaps: { address: '127.0.0.1', port: 2993 },
    http: { address: '127.0.0.1', port: 8025 },
  },
}

/** `--ports auto`: a free port on 127.0.0.1 for every TCP listener. */
export const AUTO_PORTS: Config = {
  listeners: Object.fromEntries(LISTENERS.map(name => [name, { address: '127.0.0.1', port: 0 }])),
}

/** Lays `over` on `under`: groups are merged, all else is replaced. */
export function layer(under: Readonly<Raw>, over: Readonly<Raw>): Raw {
  // A map, since `__proto__` is a name like others there: unknown, and told so.
  const result = new Map(Object.entries(under))
  for (const [name, value] of Object.entries(over)) {
    if (value === undefined) continue
    const below = result.get(name)
    result.set(name, isGroup(value) && isGroup(below) ? layer(below, value) : value)
  }
  return Object.fromEntries(result)
}

function isGroup(value: unknown): value is Raw {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/**
 * Puts the secret itself in the place of every `{ env: 'NAME' }` and `{ file: 'path' }` (its one
 * final line end is not part of it). `base` is the folder that relative files are meant from.
 */
export function fetchSecrets(
  value: unknown,
  base: string,
  lookup: Lookup,
  errors: SettingError[],
  path: readonly PropertyKey[] = [],
): unknown {
  if (Array.isArray(value)) {
    return value.map((item, i) => fetchSecrets(item, base, lookup, errors, [...path, i]))
  }
  if (!isGroup(value)) return value
  const entries = Object.entries(value)
  const [only] = entries
  if (entries.length === 1 && only !== undefined && typeof only[1] === 'string') {
    const [name, where] = only as [string, string]
    if (name === 'env') {
      const found = lookup.env(where)
      if (found !== undefined) return found
      const message = `the environment has no ${where}`
      errors.push({ path: formatPath(path), message, remedy: 'set it before the start' })
      return ''
    }
    if (name === 'file') {
      const found = lookup.file(resolve(base, where))
      if ('text' in found) return found.text.replace(/\r?\n$/, '')
      const message = `the secret file ${resolve(base, where)} was not read`
      errors.push({ path: formatPath(path), message, remedy: found.reason })
      return ''
    }
  }
  return Object.fromEntries(
    entries.map(([name, item]) => [
      name,
      fetchSecrets(item, base, lookup, errors, [...path, name]),
    ]),
  )
}

/** Paths of a layer made absolute from the folder it was written in; sockets stay for later. */
export function anchor(raw: Readonly<Raw>, base: string): Raw {
  const result: Raw = { ...raw }
  // What is empty names no folder, and is left to validation.
  const absolute = (path: string) => (path === '' ? path : resolve(base, path))
  if (typeof result['data'] === 'string') result['data'] = absolute(result['data'])
  const bodies = result['bodies']
  if (isGroup(bodies) && typeof bodies['directory'] === 'string') {
    result['bodies'] = { ...bodies, directory: absolute(bodies['directory']) }
  }
  const { tls, outbound, listeners } = result
  const files = (group: unknown) => mapped(group, absolute)
  if (Array.isArray(tls)) result['tls'] = tls.map(files)
  else if (isGroup(tls)) result['tls'] = files(tls)
  if (isGroup(outbound) && isGroup(outbound['identity'])) {
    result['outbound'] = { ...outbound, identity: files(outbound['identity']) }
  }
  if (isGroup(listeners)) {
    const anchored = Object.entries(listeners).map(([name, listener]) => {
      const asked = isGroup(listener) ? listener['clientCertificates'] : undefined
      return [name, asked ? { ...(listener as Raw), clientCertificates: files(asked) } : listener]
    })
    result['listeners'] = Object.fromEntries(anchored)
  }
  return result
}

/** A group with its texts changed; what is no group stays for validation to see. */
function mapped(group: unknown, change: (text: string) => string): unknown {
  if (!isGroup(group)) return group
  const entries = Object.entries(group)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? change(value) : value]),
  )
}

/** Socket paths are relative to the data folder. */
export function placeSockets(settings: Settings): Settings {
  const place = (path: string) => (isAbsolute(path) ? path : join(settings.data, path))
  const { lmtp, inetd, local, control } = settings.listeners
  return {
    ...settings,
    listeners: {
      ...settings.listeners,
      lmtp: lmtp.path === undefined ? lmtp : { ...lmtp, path: place(lmtp.path) },
      local: { ...local, path: place(local.path) },
      inetd: { ...inetd, path: place(inetd.path) },
      control: { ...control, path: place(control.path) },
    },
  }
}

/** Settings that are right one by one and wrong together. */
export function contradictions(settings: Settings): SettingError[] {
  const errors: SettingError[] = []
  const say = (path: string, message: string, remedy: string) =>
    errors.push({ path, message, remedy })
  const { listeners, bodies, database } = settings
  if (bodies.in === 's3' && bodies.s3 === undefined) {
    say('bodies.s3', 'is missing', 'write where the bucket is, or another place in bodies.in')
  }
  if (database !== undefined && bodies.in === 'directory' && bodies.directory === undefined) {
    say('bodies.directory', 'is missing', 'name a folder that all nodes share')
  }
  const taken = new Map<string, string>()
  for (const name of LISTENERS) {
    const listener = listeners[name]
    if (!listener.enabled || listener.port === 0) continue
    if (name === 'lmtp' && listeners.lmtp.path !== undefined) continue
    const place = `${listener.address} port ${listener.port}`
    const other = taken.get(place)
    if (other !== undefined) {
      say(`listeners.${name}.port`, `${place} is already taken by ${other}`, 'choose another port')
    }
    taken.set(place, name)
  }
  for (const name of SMTP_LISTENERS) {
    for (const keyword of listeners[name].with) {
      if (!listeners[name].without.includes(keyword)) continue
      say(`listeners.${name}.with`, `${keyword} is in \`without\` too`, 'remove one of the two')
    }
  }
  const names = settings.domains.map(domain => (typeof domain === 'string' ? domain : domain.name))
  for (const [i, name] of names.entries()) {
    const first = names.findIndex(other => other.toLowerCase() === name.toLowerCase())
    if (first < i) say(`domains[${i}]`, `${name} is named twice`, 'remove one of the two')
  }
  errors.push(...routeFaults({ routes: settings.routes, hops: settings.outbound.hops }))
  for (const [i, { match }] of settings.queue.schedules.entries()) {
    for (const name of match.hop ?? []) {
      if (Object.hasOwn(settings.outbound.hops, name)) continue
      const path = `queue.schedules[${i}].match.hop`
      say(path, `there is no hop "${name}" in outbound.hops`, 'write it there')
    }
  }
  const kept = Object.keys(settings.onDemand)
  for (const name of kept.filter(one => names.some(n => n.toLowerCase() === one.toLowerCase()))) {
    say(
      `onDemand.${name}`,
      'is a domain of ours too, whose mail stays here',
      'remove one of the two',
    )
  }
  return errors
}
