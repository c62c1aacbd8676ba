/** What an IMAP listener allows, from the settings. Called by serve.ts for each connection. */
import type { SessionSettings } from '../imap/server/question.ts'
import { isSasl, mechanismsOf } from './auth.ts'
import type { House } from './house.ts'
import { contentStepOf } from './least-speed.ts'
import { version } from './version.ts'

export function imapSettings(house: House, name: 'imap' | 'imaps'): SessionSettings {
  const settings = house.settings()
  return {
    hostname: settings.hostname,
    implementation: 'Postrider',
    version: version(),
    startTls: name === 'imap' && settings.listeners.imap.startTls,
    plaintextAuth: name === 'imap' && settings.listeners.imap.plaintextAuth,
    mechanisms: mechanismsOf(house, name).filter(isSasl),
    appendMaxOctets: settings.limits.messageSize,
    messagesMax: settings.limits.imapMessages,
    savesMax: settings.limits.imapSaves,
    loginTimeoutMs: settings.limits.loginTime,
    idleTimeoutMs: settings.limits.imapTimeout,
    errorsMax: settings.limits.errors,
    loginFailuresMax: settings.limits.loginFailuresPerSession,
    contentStepOctets: contentStepOf(settings.limits, settings.limits.imapTimeout),
    chance: (octets: number) => house.world.random.octets(octets),
  }
}
