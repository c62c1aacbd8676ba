/**
 * Judges a config: lays its layers over each other and validates the whole, so that all errors are told
 * at once. It needs every schema and what reads them, some 36 MB that nobody needs behind a start: a
 * server has it done in a thread that ends (judge-aside.ts), a command that ends itself does it here.
 */
// Before any schema is made.
import './judged-once.ts'
import { resolve } from 'node:path'
import { currentFolder, environment, readText } from '../../world/node/config-file.ts'
import type { EpochSource } from '../epoch.ts'
import { DEMO_DOMAIN } from './demo-domain.ts'
import { type SettingError, settingErrors } from './errors.ts'
import { smarthostParts } from './hops.ts'
import {
  AUTO_PORTS,
  anchor,
  contradictions,
  DEMO,
  fetchSecrets,
  layer,
  placeSockets,
} from './layers.ts'
import { override, type Raw } from './override.ts'
import { routeWarnings } from './routes.ts'
import { type Settings, settingsSchema } from './settings.ts'

/** What was written: by the file, if there is one, and by the flags. Can be cloned. */
export interface Written {
  readonly source: EpochSource
  readonly raw: Raw
  /** The folder that relative paths of the file are meant from. */
  readonly base: string
}

export type Judged =
  | { readonly settings: Settings; readonly warnings: readonly string[] }
  | { readonly errors: readonly SettingError[] }

export type Judge = (written: Written) => Promise<Judged>

export function judge({ source, raw, base }: Written): Judged {
  const here = currentFolder()
  const errors: SettingError[] = []
  const lookup = { env: environment, file: readText }
  let layers: Raw = source.demo === true ? anchor(DEMO as Raw, here) : {}
  const data = environment('POSTRIDER_DATA')
  if (data !== undefined && data !== '') layers = layer(layers, { data: resolve(here, data) })
  const fromFile = fetchSecrets(raw, base, lookup, errors) as Raw
  layers = layer(layers, anchor(fromFile, base))
  if (source.ports === 'auto') layers = layer(layers, AUTO_PORTS as Raw)
  const flags: Raw = {
    ...(source.data !== undefined && { data: resolve(here, source.data) }),
    ...(source.user !== undefined && { user: source.user }),
    ...(source.smarthost !== undefined && { outbound: { smarthost: source.smarthost } }),
  }
  const overridden = override(settingsSchema, layer(layers, flags), source.set ?? [], {
    'outbound.smarthost': smarthostParts,
  })
  errors.push(...overridden.errors)
  const parsed = settingsSchema.safeParse(anchor(overridden.raw, here))
  if (!parsed.success) {
    // What stands in the place of a secret that was not found is not judged as well.
    const told = new Set(errors.map(({ path }) => path))
    const found = settingErrors(settingsSchema, parsed.error.issues)
    errors.push(...found.filter(({ path }) => !told.has(path)))
  } else errors.push(...contradictions(parsed.data))
  if (!parsed.success || errors.length > 0) return { errors }
  const settings = placeSockets(parsed.data)
  return { settings, warnings: warningsOf(settings, source.demo === true) }
}

function warningsOf(settings: Settings, demo: boolean): string[] {
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
  const ours = settings.domains.map(domain => (typeof domain === 'string' ? domain : domain.name))
  if (demo) ours.push(DEMO_DOMAIN)
  for (const address of Object.keys(settings.aliases)) {
    const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase()
    if (ours.some(name => name.toLowerCase() === domain)) continue
    warnings.push(
      `aliases["${address}"]: ${domain} is not among \`domains\`; without 'postrider domain add ${domain}' nothing starts`,
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
