/** What a listener of SMTP or LMTP allows, as its sessions know it. Made by serve.ts once for all of an epoch. */
import type { Door } from '../inbound/door.ts'
import type { Service } from '../smtp/extension/extension.ts'
import type { SessionSettings } from '../smtp/server/question.ts'
import { isSasl, mechanismsOf } from './auth.ts'
import type { House } from './house.ts'
import { contentStepOf } from './least-speed.ts'
import type { SmtpName } from './settings/listener-name.ts'
import type { Settings } from './settings/settings.ts'

/** What all sessions of a listener have in common. */
export interface SmtpDialect {
  readonly of: Settings
  readonly settings: SessionSettings
  readonly door: Omit<Door, 'visitor'>
}

export function smtpSettings(house: House, name: SmtpName): SessionSettings {
  const settings = house.settings()
  const { limits } = settings
  const listener = settings.listeners[name]
  const logsIn =
    name === 'submission' ||
    name === 'submissions' ||
    name === 'odmr' ||
    ('requireAuth' in listener && listener.requireAuth)
  const byPath = 'path' in listener && listener.path !== undefined
  return {
    hostname: settings.hostname,
    protocol: name === 'lmtp' ? 'lmtp' : 'smtp',
    banner: settings.banner,
    sizeMaxBytes: limits.messageSize,
    recipientsMax: limits.recipients,
    recipientDomainsMax: limits.recipientDomains,
    bareLineEnds: listener.bareLineEnds,
    sourceRoutes: listener.sourceRoutes,
    startTls: 'startTls' in listener && listener.startTls && !byPath,
    plaintextAuth: name === 'submission' && settings.listeners.submission.plaintextAuth,
    mechanisms: logsIn ? mechanismsOf(house, name).filter(isSasl) : [],
    requireAuth: logsIn,
    service: serviceOf[name],
    with: settings.noSoliciting.length > 0 ? [...listener.with, 'NO-SOLICITING'] : listener.with,
    unwanted: settings.noSoliciting,
    without: listener.without,
    xclientFrom: 'xclient' in listener ? listener.xclient : [],
    xforwardFrom: 'xforward' in listener ? listener.xforward : [],
    errorsMax: limits.errors,
    loginFailuresMax: limits.loginFailuresPerSession,
    contentStepOctets: contentStepOf(limits, limits.dataTimeout),
    transactionsMax: limits.transactions,
    commandTimeoutMs: limits.commandTimeout,
    dataTimeoutMs: limits.dataTimeout,
    priorityMax: 'priorityMax' in listener ? listener.priorityMax : 0,
    ...(settings.queue.priorityPolicy === undefined
      ? {}
      : { priorityPolicy: settings.queue.priorityPolicy }),
    holdMaxS: Math.floor(settings.submission.holdMax / 1000),
    deliverByMinS: Math.ceil(settings.queue.deliverByMin / 1000),
    chance: octets => house.world.random.octets(octets),
    now: () => house.world.clock.now(),
  }
}

/** What each listener is for, to the extensions. */
const serviceOf: Readonly<Record<SmtpName, Service>> = {
  smtp: 'mx',
  submission: 'submission',
  submissions: 'submission',
  local: 'submission',
  lmtp: 'lmtp',
  odmr: 'odmr',
}
