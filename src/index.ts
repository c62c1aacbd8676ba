/** The library face of Postrider: `import { createServer, createClient, defineConfig } from 'postrider'`. */

export {
  type Finding,
  type Section,
  type Severity,
  type StepReport,
  worstOf,
} from './diagnose/finding.ts'
export type { HookFunctions, HookPeer } from './hook/hook.ts'
export {
  type Asked,
  type Client,
  type CreateClientOptions,
  createClient,
  type OutgoingMessage,
} from './library/create-client.ts'
export {
  type CreateServerOptions,
  createServer,
  type EmbeddedServer,
} from './library/create-server.ts'
export { diagnose, type LibraryDiagnoseOptions } from './library/diagnose.ts'
export type { ArrivingMessage, ReceivedMessage, Takers } from './library/taking.ts'
export * from './mail/index.ts'
export { type Mailbox, parseAddressList } from './message/address-list.ts'
export { type Attachment, type Composed, compose, type Draft } from './message/compose.ts'
export type { Account, Credentials, LoginAnswer, LoginQuestion } from './sasl/mechanism.ts'
export { defineConfig } from './server/define-config.ts'
export { ExitError } from './server/exit-error.ts'
export { explain } from './server/explain/explain.ts'
export type { ExplainInput, ExplainOutput } from './server/explain/explained.ts'
export type { Config } from './server/settings/settings.ts'
export { type Running, type StartOptions, start } from './server/start.ts'
export type { Later, Peer, Policy, Question, SessionSettings } from './smtp/server/question.ts'
export type { Sent } from './transport/send.ts'
export type { Endpoint, Source, TlsFacts } from './wire/effect.ts'
