/** The face of the sasl room: the registry and the types that a mechanism is made of. */
export type { Channel } from './channel.ts'
export type {
  Account,
  ClientContext,
  ClientMechanism,
  Credentials,
  LoginAnswer,
  LoginQuestion,
  SaslInput,
  SaslResult,
  SaslStep,
  ScramVerifier,
  Secret,
  ServerContext,
  ServerMechanism,
} from './mechanism.ts'
export { prepare } from './prepare.ts'
export {
  clientMechanism,
  mechanismNames,
  offeredOn,
  serverMechanism,
  strongest,
} from './registry.ts'
