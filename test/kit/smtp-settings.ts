/** The settings of an SMTP server session in tests that care for some of them only. */
import type { SessionSettings } from '../../src/smtp/server/question.ts'

export const sessionSettings: SessionSettings = {
  hostname: 'mx.example.org',
  protocol: 'smtp',
  banner: 'Postrider',
  sizeMaxBytes: 1_000_000,
  recipientsMax: 100,
  recipientDomainsMax: 0,
  bareLineEnds: 'refuse',
  startTls: false,
  mechanisms: [],
  requireAuth: false,
  service: 'mx',
  with: [],
  without: [],
  xclientFrom: [],
  xforwardFrom: [],
  errorsMax: 20,
  transactionsMax: 100,
  commandTimeoutMs: 300_000,
  dataTimeoutMs: 180_000,
  deliverByMinS: 0,
  holdMaxS: 0,
  priorityMax: 0,
  unwanted: [],
  chance: octets => new Uint8Array(octets).fill(7),
  now: () => Date.UTC(2026, 10, 27, 4),
}

export const sessionEnds = {
  remote: { address: '192.0.2.1', port: 40_000 },
  local: { address: '192.0.2.25', port: 25 },
}
