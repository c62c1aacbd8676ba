/**
 * EXTERNAL (RFC 4422 Appendix A), both sides: the TLS handshake has shown who the client is, by a
 * certificate that our roots vouch for; the message only says whom it acts as. Whose certificate it is,
 * policy knows (account/certificate.ts).
 */
import {
  ask,
  challenge,
  conclude,
  decodeText,
  encodeText,
  failed,
  noOctets,
  WRONG,
} from './exchange.ts'
import type { ClientMechanism, ServerMechanism } from './mechanism.ts'
import { prepare } from './prepare.ts'

export const externalServer: ServerMechanism = {
  name: 'EXTERNAL',
  plaintext: false,
  needs: 'certificate',
  *start(initial, { tls }) {
    const named = decodeText(initial ?? (yield* challenge(noOctets)))
    if (named === undefined) return failed('malformed', 'the identity is not UTF-8')
    const authorize = named === '' ? '' : prepare(named)
    // Only a chain that was verified says anything; who can show none was not offered this.
    if (authorize === undefined || tls?.verified !== true) return failed('denied', WRONG)
    const { subject = '', fingerprint = '', peerName, mailboxes = [] } = tls
    return conclude(
      yield* ask({
        kind: 'certificate',
        mechanism: 'EXTERNAL',
        username: authorize,
        authorize,
        certificate: {
          ...{ subject, fingerprint, mailboxes },
          ...(peerName !== undefined && { commonName: peerName }),
        },
      }),
    )
  },
}

export const externalClient: ClientMechanism = {
  name: 'EXTERNAL',
  plaintext: false,
  initial: true,
  by: 'certificate',
  *start({ authorize = '' }) {
    if (authorize.includes('\0')) return false
    yield encodeText(authorize)
    return true
  },
}
