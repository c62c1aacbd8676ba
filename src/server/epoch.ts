/**
 * A config epoch: the settings and hooks in force from one load to the next. `loadEpoch` reads the
 * config file in a thread of its own, lays the layers over each other and validates the whole;
 * either all of it is right and an epoch comes back, or all its errors do. Called at start, on
 * SIGHUP (the old epoch stays where the new one has errors) and by the command line.
 */
import { createHash } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { parse as parseToml } from 'smol-toml'
import { HOOK_NAMES, type HookName } from '../hook/hook.ts'
import { Hooks } from '../hook/hooks.ts'
import { type Loaded, loadConfig } from '../hook/load.ts'
import type { Clock } from '../world/clock.ts'
import { type Log, silent } from '../world/log.ts'
import { configsIn, currentFolder, environment, readText } from '../world/node/config-file.ts'
import { configThreads } from '../world/node/config-thread.ts'
import { type Settings, settingsSchema } from './settings.ts'
import { nearest, type SettingError, settingErrors } from './settings-errors.ts'
import {
  AUTO_PORTS,
  anchor,
  contradictions,
  DEMO,
  fetchSecrets,
  layer,
  placeSockets,
} from './settings-layers.ts'
import { override, type Raw } from './settings-override.ts'
import { routeWarnings } from './settings-routes.ts'

/** Where an epoch comes from: the flags of `start`. */
export interface EpochSource {
  /** The config file; absent: the one in the current folder, if there is one. */
  readonly config?: string | undefined
  readonly demo?: boolean | undefined
  readonly data?: string | undefined
  readonly ports?: 'auto' | undefined
  readonly smarthost?: string | undefined
  readonly user?: string | undefined
  /** `PATH=VALUE`, in order; over everything else. */
  readonly set?: readonly string[] | undefined
}

export interface Epoch {
  readonly settings: Settings
  /** Absent where the config has no hooks. */
  readonly hooks: Hooks | undefined
  /** Changes with any setting and with the file's text: shown in traces. */
  readonly hash: string
  /** Changes with what all nodes of a cluster should have in common, hooks included (cluster/node.ts). */
  readonly shared: string
  /** The file it was read from. */
  readonly file: string | undefined
  readonly warnings: readonly string[]
}

export type EpochResult = Epoch | { readonly errors: readonly SettingError[] }

/** What a config file says, before it is judged. */
interface Written {
  readonly raw: Raw
  readonly text: string
  readonly loaded?: Extract<Loaded, { ok: true }>
}

/** Loads an epoch. Never rejects for what a config does or says. */
export async function loadEpoch(
  source: EpochSource,
  world: { readonly clock: Clock; readonly log?: Log },
): Promise<EpochResult> {
  const file = findConfig(source)
  if (typeof file === 'object') return { errors: [file] }
  const written = file === undefined ? { raw: {}, text: '' } : await read(file, world.clock)
  if ('errors' in written) return written
  const judged = judge(source, file, written)
  if ('errors' in judged) {
    written.loaded?.discard()
    return judged
  }
  const { settings } = judged
  const hooked = (written.loaded?.hooks.length ?? 0) > 0
  return {
    settings,
    file,
    hash: hashOf(settings, written.text),
    shared: hashOf(sharedPart(settings), hooked ? written.text : ''),
    hooks: hooksOf(written, settings, world),
    warnings: [
      ...(written.loaded?.said.map(line => `the config printed: ${line}`) ?? []),
      ...warningsOf(settings),
    ],
  }
}

function hashOf(settings: object, text: string): string {
  const hash = createHash('sha256').update(JSON.stringify(settings)).update(text)
  return hash.digest('hex').slice(0, 12)
}

/** Without what may well differ from node to node: names, places, listeners, certificates. */
function sharedPart(settings: Settings): object {
  const {
    hostname: _name,
    data: _data,
    database: _database,
    user: _user,
    banner: _banner,
    listeners: _listeners,
    tls: _tls,
    dns: _dns,
    log: _log,
    outbound: { hostname: _outbound, sourceAddress: _source, ...outbound },
    ...shared
  } = settings
  return { ...shared, outbound }
}

function findConfig(source: EpochSource): string | undefined | SettingError {
  const named = source.config ?? environment('POSTRIDER_CONFIG')
  if (named !== undefined && named !== '') return resolve(currentFolder(), named)
  // The demo is the demo wherever it is started.
  if (source.demo === true) return undefined
  const found = configsIn(currentFolder())
  if (found.length < 2) return found[0]
  const message = `there is more than one config here: ${found.join(', ')}`
  return { path: '', message, remedy: 'name one with --config FILE, or remove the others' }
}

async function read(
  file: string,
  clock: Clock,
): Promise<Written | { readonly errors: readonly SettingError[] }> {
  const fail = (message: string, remedy?: string) => ({
    errors: [{ path: '', message: `${file}: ${message}`, ...(remedy && { remedy }) }],
  })
  const source = readText(file)
  if ('reason' in source) return fail(source.reason, 'make one with `postrider init`')
  const { text } = source
  if (/\.(?:json|toml)$/i.test(file)) {
    try {
      const raw: unknown = file.toLowerCase().endsWith('json') ? JSON.parse(text) : parseToml(text)
      if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) {
        return fail('must be a group of settings')
      }
      // smol-toml's groups have no prototype; a plain copy is what the rest expects.
      const data = { ...(JSON.parse(JSON.stringify(raw)) as Raw) }
      if (!('hooks' in data)) return { raw: data, text }
      return fail('hooks are functions', 'write the config as postrider.config.ts')
    } catch (error) {
      return fail(error instanceof Error ? error.message : String(error))
    }
  }
  if (!/\.[cm]?[jt]s$/i.test(file)) {
    return fail('is no kind of config', 'name it .ts, .mts, .js, .mjs, .json or .toml')
  }
  const open = configThreads(file, new URL('./config-face.ts', import.meta.url))
  const loaded = await loadConfig(open, clock)
  if (!loaded.ok) return fail(loaded.reason)
  const unknown = loaded.hooks.filter(name => !HOOK_NAMES.includes(name as HookName))
  if (unknown.length === 0) return { raw: loaded.data as Raw, text, loaded }
  loaded.discard()
  return {
    errors: unknown.map(name => ({
      path: `hooks.${name}`,
      message: 'there is no such hook',
      remedy: nearest(name, HOOK_NAMES) ?? `known are ${HOOK_NAMES.join(', ')}`,
    })),
  }
}

/** Lays the layers over each other and validates the whole. */
function judge(
  source: EpochSource,
  file: string | undefined,
  written: Written,
): { readonly settings: Settings } | { readonly errors: readonly SettingError[] } {
  const here = currentFolder()
  const base = file === undefined ? here : dirname(file)
  const errors: SettingError[] = []
  const lookup = { env: environment, file: readText }
  let raw: Raw = source.demo === true ? anchor(DEMO as Raw, here) : {}
  const data = environment('POSTRIDER_DATA')
  if (data !== undefined && data !== '') raw = layer(raw, { data: resolve(here, data) })
  const fromFile = fetchSecrets(written.raw, base, lookup, errors) as Raw
  raw = layer(raw, anchor(fromFile, base))
  if (source.ports === 'auto') raw = layer(raw, AUTO_PORTS as Raw)
  const flags: Raw = {
    ...(source.data !== undefined && { data: resolve(here, source.data) }),
    ...(source.user !== undefined && { user: source.user }),
    ...(source.smarthost !== undefined && { outbound: { smarthost: source.smarthost } }),
  }
  const overridden = override(settingsSchema, layer(raw, flags), source.set ?? [])
  errors.push(...overridden.errors)
  const parsed = settingsSchema.safeParse(anchor(overridden.raw, here))
  if (!parsed.success) errors.push(...settingErrors(settingsSchema, parsed.error.issues))
  else errors.push(...contradictions(parsed.data))
  if (!parsed.success || errors.length > 0) return { errors }
  return { settings: placeSockets(parsed.data) }
}

function hooksOf(
  written: Written,
  settings: Settings,
  world: { readonly clock: Clock; readonly log?: Log },
): Hooks | undefined {
  const { loaded } = written
  if (loaded === undefined) return undefined
  if (loaded.hooks.length === 0) {
    loaded.discard()
    return undefined
  }
  const hooks = new Hooks({
    open: loaded.open,
    clock: world.clock,
    log: world.log ?? silent,
    names: loaded.hooks as readonly HookName[],
    budgetMs: settings.hookBudget,
  })
  hooks.warm()
  return hooks
}

function warningsOf(settings: Settings): string[] {
  const warnings: string[] = []
  const { smarthost } = settings.outbound
  const clear = smarthost?.tls === 'never' || smarthost?.tls === 'opportunistic'
  if (smarthost?.password !== undefined && clear) {
    warnings.push(
      "outbound.smarthost: the password may travel in clear text; set tls to 'require' or 'implicit'",
    )
  }
  for (const [name, hop] of Object.entries(settings.outbound.hops)) {
    if (!('host' in hop) || hop.password === undefined) continue
    if (hop.tls === 'require' || hop.tls === 'implicit') continue
    warnings.push(
      `outbound.hops.${name}: the password may travel in clear text; set tls to 'require' or 'implicit'`,
    )
  }
  warnings.push(...routeWarnings({ routes: settings.routes, hops: settings.outbound.hops }))
  const { delayWarning, expire, keepLedger } = settings.queue
  const { srs } = settings.outbound
  if (srs !== undefined && srs.keep > keepLedger) {
    warnings.push(
      'outbound.srs.keep: is longer than queue.keepLedger; long senders are forgotten then',
    )
  }
  if (delayWarning > expire) {
    warnings.push('queue.delayWarning: is later than queue.expire, so nobody is warned of a delay')
  }
  for (const [at, schedule] of settings.queue.schedules.entries()) {
    const { delayWarning: warned = delayWarning, expire: ended = expire } = schedule
    if (warned > ended) {
      warnings.push(`queue.schedules[${at}]: nobody is warned of a delay before it is given up`)
    }
  }
  const { http, smtp, submission, submissions, odmr } = settings.listeners
  const customers = Object.entries(settings.onDemand)
  const starts = smtp.with.includes('ETRN')
  for (const [domain, { accounts, peers }] of customers) {
    if (peers.length > 0 && !starts) {
      warnings.push(`onDemand.${domain}.peers: cannot ask; write listeners.smtp.with: ['ETRN']`)
    }
    const mine = [submission, submissions].some(({ with: on }) => on.length > 0)
    if (accounts.length > 0 && !odmr.enabled && !mine) {
      warnings.push(`onDemand.${domain}.accounts: cannot ask; write listeners.odmr.enabled: true`)
    }
  }
  if (http.enabled && !/^(?:127\.|::1$|localhost$)/.test(http.address)) {
    warnings.push('listeners.http: has no login and is not on loopback')
  }
  return warnings
}
