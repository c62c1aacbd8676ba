/**
 * LOGIN (draft-murchison-sasl-login-00), both sides: two prompts and two answers. Obsolete, and
 * still what many printers and old mail programs speak; under TLS only.
 *
 * The draft has no initial response, but Outlook and others send the name as one: it is taken.
 */
import { ask, challenge, conclude, decodeText, encodeText, failed, WRONG } from './exchange.ts'
import type { ClientMechanism, ServerMechanism } from './mechanism.ts'
import { prepare } from './prepare.ts'

const userPrompt = encodeText('Username:')
const passwordPrompt = encodeText('Password:')

export const loginServer: ServerMechanism = {
  name: 'LOGIN',
  plaintext: true,
  *start(initial) {
    // `AUTH LOGIN =` names nobody: the prompt is what such a client waits for.
    const named = initial !== undefined && initial.length > 0
    const name = decodeText(named ? initial : yield* challenge(userPrompt))
    if (name === undefined) return failed('malformed', 'the user name is not UTF-8')
    const secret = decodeText(yield* challenge(passwordPrompt))
    if (secret === undefined) return failed('malformed', 'the password is not UTF-8')

    const username = prepare(name)
    const password = prepare(secret)
    if (username === undefined || password === undefined) return failed('denied', WRONG)

    return conclude(
      yield* ask({ kind: 'password', mechanism: 'LOGIN', username, authorize: '', password }),
    )
  },
}

export const loginClient: ClientMechanism = {
  name: 'LOGIN',
  plaintext: true,
  initial: false,
  by: 'password',
  *start({ username, password = '', authorize = '' }) {
    // LOGIN cannot name another identity to act as.
    if (authorize !== '' && authorize !== username) return false
    // Prompts differ between servers ("User Name\0", "Username:"), so only their order counts.
    yield encodeText(username)
    yield encodeText(password)
    return true
  },
}
