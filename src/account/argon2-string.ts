/**
 * The PHC string of Argon2id (RFC 9106): `$argon2id$v=19$m=19456,t=2,p=1$salt$tag`, base64 without padding.
 */

export interface Argon2Parts {
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
  readonly salt: Uint8Array
  readonly tag: Uint8Array
}

const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,172})$/

export function formatPhc({ memoryKib, passes, lanes, salt, tag }: Argon2Parts): string {
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${unpadded(salt)}$${unpadded(tag)}`
}

/** Reads a PHC string; undefined where it is damaged or Argon2 would refuse its numbers. */
export function parsePhc(text: string): Argon2Parts | undefined {
  const [, memory, passes, lanes, salt = '', tag = ''] = PHC.exec(text) ?? []
  const parts = {
    memoryKib: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  }
  // RFC 9106 §3.1, and 1 GiB at most.
  const fit = parts.lanes >= 1 && parts.passes >= 1 && parts.memoryKib >= 8 * parts.lanes
  return fit && parts.memoryKib <= 1_048_576 && parts.salt.length >= 8 ? parts : undefined
}

function unpadded(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64').replaceAll('=', '')
}
