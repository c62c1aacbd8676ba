/** The library face of Postrider: `import { createServer, createClient, defineConfig } from 'postrider'`. */

export {
  type Finding,
  type Section,
  type Severity,
  type StepReport,
  worstOf,
} from './diagnose/finding.ts'
export type { HookFunctions } from './hook/hook.ts'
export {
  type Client,
  type CreateClientOptions,
  createClient,
  type OutgoingMessage,
} from './library/create-client.ts'
export {
  type CreateServerOptions,
  createServer,
  type EmbeddedServer,
  type ReceivedMessage,
} from './library/create-server.ts'
export { diagnose, type LibraryDiagnoseOptions } from './library/diagnose.ts'
export * from './mail/index.ts'
export { compose } from './message/compose.ts'
export { defineConfig } from './server/define-config.ts'
export { explain } from './server/explain/explain.ts'
export type { ExplainInput, ExplainOutput } from './server/explain/explained.ts'
export type { Config } from './server/settings/settings.ts'
export { type Running, StartError, type StartOptions, start } from './server/start.ts'
export type { Peer, Policy, Question, SessionSettings } from './smtp/server/question.ts'
