/** The face of the sasl room: the registry and the types that a mechanism is made of. */
export type {
  Account,
  ClientMechanism,
  Credentials,
  LoginAnswer,
  LoginQuestion,
  SaslInput,
  SaslResult,
  SaslStep,
  ScramVerifier,
  ServerMechanism,
} from './mechanism.ts'
export { prepare } from './prepare.ts'
export { clientMechanism, mechanismNames, serverMechanism, strongest } from './registry.ts'
