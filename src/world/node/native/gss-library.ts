/**
 * libgssapi_krb5 (MIT Kerberos) by koffi: the dozen calls of RFC 2743 that a login needs, with the names and
 * types of gssapi.h. Lives in the helper process (gss-main.ts). Whatever goes in is copied into buffers of
 * ours that live until the call is over; whatever comes out is copied and given back to the library at once.
 */
import type { GssForm } from '../../gss.ts'
import { inThread, type Koffi, type NativeFunction, type Pointer } from './koffi.ts'

const NAMES: Readonly<Record<string, readonly string[]>> = {
  linux: ['libgssapi_krb5.so.2'],
  freebsd: ['/usr/local/lib/libgssapi_krb5.so.2', 'libgssapi_krb5.so'],
  openbsd: ['libgssapi_krb5.so'],
  darwin: [
    '/opt/homebrew/opt/krb5/lib/libgssapi_krb5.dylib',
    '/usr/local/opt/krb5/lib/libgssapi_krb5.dylib',
  ],
}

/** Object identifiers in DER, without tag and length. */
const OID = {
  /** 1.2.840.113554.1.2.2 */
  krb5: Buffer.from('2a864886f712010202', 'hex'),
  /** 1.3.6.1.5.5.2 */
  spnego: Buffer.from('2b0601050502', 'hex'),
  /** 1.2.840.113554.1.2.1.4: GSS_C_NT_HOSTBASED_SERVICE */
  service: Buffer.from('2a864886f71201020104', 'hex'),
  /** 1.2.752.43.13.29: GSS_KRB5_CRED_NO_CI_FLAGS_X */
  noLayers: Buffer.from('2a85702b0d1d', 'hex'),
  /** 1.2.840.113554.1.2.2.1: a principal's name */
  principal: Buffer.from('2a864886f71201020201', 'hex'),
} as const

const INITIATE = 1
const ACCEPT = 2
const COMPLETE = 0
const CONTINUE = 1
/** Calling and routine errors: the upper half of a major status (§1.2.1.1). */
const ERRORS = 0xffff0000
const BY_MAJOR = 1
const BY_MECHANISM = 2

export const FLAG = { mutual: 2, confidentiality: 16, integrity: 32, bound: 2048 } as const

/** What the library refused, in its own words. */
export class GssError extends Error {
  readonly major: number
  constructor(major: number, words: string) {
    super(words)
    this.major = major
  }
}

interface Desc {
  readonly length: number | bigint
  readonly value: Pointer | Uint8Array
}

const nothing: Desc = { length: 0, value: null }
/** gss_channel_bindings_struct with application data alone, as RFC 5929 and MS-NLMP have it. */
const bindings = (octets: Uint8Array | undefined) =>
  octets === undefined
    ? null
    : {
        ...{ initiator_addrtype: 0, initiator_address: nothing },
        ...{ acceptor_addrtype: 0, acceptor_address: nothing },
        application_data: describe(octets),
      }

/** A copy, so that nobody changes under way what the library reads. */
function describe(octets: Uint8Array): Desc {
  return { length: octets.length, value: Buffer.from(octets) }
}

const oid = (elements: Uint8Array) => ({ length: elements.length, elements })

/** One step of a context: the new handle, the token for the peer, and what is known of the context. */
export interface Stepped {
  readonly context: Pointer
  readonly token: Uint8Array
  readonly complete: boolean
  readonly flags: number
  /** The peer's name; of an acceptor alone. */
  readonly principal?: string
}

type Calls = Readonly<Record<keyof typeof PROTOTYPES, NativeFunction>>

export class GssLibrary {
  readonly #koffi: Koffi
  readonly #call: Calls

  /** Throws where there is no such library. */
  constructor(koffi: Koffi, file?: string) {
    this.#koffi = koffi
    const library = open(koffi, file)
    koffi.struct('gss_buffer_desc', { length: 'size_t', value: 'void *' })
    koffi.struct('gss_OID_desc', { length: 'uint32_t', elements: 'void *' })
    koffi.struct('gss_OID_set_desc', { count: 'size_t', elements: 'gss_OID_desc *' })
    koffi.struct('gss_channel_bindings_struct', {
      ...{ initiator_addrtype: 'uint32_t', initiator_address: 'gss_buffer_desc' },
      ...{ acceptor_addrtype: 'uint32_t', acceptor_address: 'gss_buffer_desc' },
      application_data: 'gss_buffer_desc',
    })
    koffi.struct('gss_key_value_element_desc', { key: 'const char *', value: 'const char *' })
    koffi.struct('gss_key_value_set_desc', {
      ...{ count: 'uint32_t', elements: 'gss_key_value_element_desc *' },
    })
    const entries = Object.entries(PROTOTYPES).map(([name, rest]) => [
      name,
      library.func(`uint32_t ${name}(${rest})`),
    ])
    this.#call = Object.fromEntries(entries) as Calls
  }

  /** Credentials to accept or to initiate with, from a store of these keys (`keytab`, `ccache`, ...). */
  async acquire(
    side: 'initiate' | 'accept',
    form: GssForm,
    name: { readonly text: string; readonly kind: 'service' | 'principal' } | undefined,
    store: Readonly<Record<string, string>>,
  ): Promise<Pointer> {
    const minor = [0]
    const found: [Pointer] = [null]
    const elements = Object.entries(store).map(([key, value]) => ({ key, value }))
    const desired = name === undefined ? null : this.#import(name.text, name.kind)
    const mechanisms = { count: 1, elements: [oid(OID[form])] }
    const usage = side === 'accept' ? ACCEPT : INITIATE
    const keys = elements.length === 0 ? null : { count: elements.length, elements }
    const args = [minor, desired, 0, mechanisms, usage, keys, found, null, null]
    const major = await inThread(this.#call.gss_acquire_cred_from, args)
    if (desired !== null) this.#call.gss_release_name([0], [desired])
    this.#check(major, minor)
    if (form === 'spnego') {
      // Nothing but Kerberos is negotiated: plug-ins of the system are not ours to offer.
      const only = { count: 1, elements: [oid(OID.krb5)] }
      const set = this.#call.gss_set_neg_mechs(minor, found[0], only)
      this.#check(set, minor)
    }
    if (form === 'spnego' && side === 'initiate') {
      // Else the library claims integrity and confidentiality, which Cyrus SASL takes for a layer. One that is
      // too old to be told is let be.
      this.#call.gss_set_cred_option([0], found, oid(OID.noLayers), nothing)
    }
    return found[0]
  }

  release(credentials: Pointer): void {
    this.#call.gss_release_cred([0], [credentials])
  }

  async accept(
    context: Pointer,
    credentials: Pointer,
    token: Uint8Array,
    binding: Uint8Array | undefined,
  ): Promise<Stepped> {
    const [minor, flags] = [[0], [0]]
    const handle: [Pointer] = [context]
    const source: [Pointer] = [null]
    const delegated: [Pointer] = [null]
    const output = [{ length: 0, value: null }] as [Desc]
    const args = [minor, handle, credentials, describe(token), bindings(binding)]
    const results = [source, null, output, flags, null, delegated]
    const major = await inThread(this.#call.gss_accept_sec_context, [...args, ...results])
    // Tickets that a client hands over are nothing we want.
    if (delegated[0] !== null) this.#call.gss_release_cred([0], delegated)
    const told = this.#take(output)
    try {
      const stepped = this.#stepped(major, minor, handle, told, flags)
      return { ...stepped, principal: stepped.complete ? this.#display(source[0]) : '' }
    } finally {
      if (source[0] !== null) this.#call.gss_release_name([0], source)
    }
  }

  async initiate(
    context: Pointer,
    credentials: Pointer,
    form: GssForm,
    target: string,
    token: Uint8Array,
    binding: Uint8Array | undefined,
    wanted: number,
  ): Promise<Stepped> {
    const [minor, flags] = [[0], [0]]
    const handle: [Pointer] = [context]
    const output = [{ length: 0, value: null }] as [Desc]
    const name = this.#import(target, 'service')
    const input = token.length === 0 ? null : describe(token)
    const asked = [oid(OID[form]), wanted, 0, bindings(binding), input]
    const args = [minor, credentials, handle, name, ...asked, null, output, flags, null]
    const major = await inThread(this.#call.gss_init_sec_context, args)
    this.#call.gss_release_name([0], [name])
    return this.#stepped(major, minor, handle, this.#take(output), flags)
  }

  wrap(context: Pointer, octets: Uint8Array): Uint8Array {
    const minor = [0]
    const output = [{ length: 0, value: null }] as [Desc]
    const major = this.#call.gss_wrap(minor, context, 0, 0, describe(octets), null, output)
    const wrapped = this.#take(output)
    this.#check(major, minor)
    return wrapped
  }

  unwrap(context: Pointer, octets: Uint8Array): Uint8Array {
    const minor = [0]
    const output = [{ length: 0, value: null }] as [Desc]
    const major = this.#call.gss_unwrap(minor, context, describe(octets), output, null, null)
    const plain = this.#take(output)
    this.#check(major, minor)
    return plain
  }

  free(context: Pointer): void {
    if (context !== null) this.#call.gss_delete_sec_context([0], [context], null)
  }

  #stepped(
    major: unknown,
    minor: readonly number[],
    handle: readonly [Pointer],
    token: Uint8Array,
    flags: readonly number[],
  ): Stepped {
    try {
      this.#check(major, minor)
    } catch (error) {
      // §2.2.1: a context that failed may be there still.
      this.free(handle[0])
      throw error
    }
    const complete = (Number(major) & CONTINUE) === COMPLETE
    return { context: handle[0], token, complete, flags: flags[0] ?? 0 }
  }

  #import(text: string, kind: 'service' | 'principal'): Pointer {
    const minor = [0]
    const name: [Pointer] = [null]
    const major = this.#call.gss_import_name(
      minor,
      describe(Buffer.from(text)),
      oid(OID[kind]),
      name,
    )
    this.#check(major, minor)
    return name[0]
  }

  #display(name: Pointer): string {
    const minor = [0]
    const output = [{ length: 0, value: null }] as [Desc]
    const major = this.#call.gss_display_name(minor, name, output, null)
    const text = this.#take(output)
    this.#check(major, minor)
    return Buffer.from(text).toString('utf8')
  }

  /** The octets of a buffer that the library gave, which is the library's again. */
  #take(output: [Desc]): Uint8Array {
    const [{ length, value }] = output
    const octets = Number(length)
    if (value === null || value instanceof Uint8Array) return new Uint8Array(0)
    const copy =
      octets === 0
        ? new Uint8Array(0)
        : Uint8Array.from(new Uint8Array(this.#koffi.view(value, octets)))
    this.#call.gss_release_buffer([0], output)
    return copy
  }

  #check(major: unknown, minor: readonly number[]): void {
    const status = Number(major)
    if ((status & ERRORS) === 0) return
    const words = [this.#words(status, BY_MAJOR), this.#words(minor[0] ?? 0, BY_MECHANISM)]
    throw new GssError(status >>> 0, words.filter(word => word !== '').join(': '))
  }

  #words(status: number, type: number): string {
    if (status === 0) return ''
    const output = [{ length: 0, value: null }] as [Desc]
    const major = this.#call.gss_display_status([0], status, type, null, [0], output)
    const text = Buffer.from(this.#take(output)).toString('utf8')
    return Number(major) === COMPLETE ? text : ''
  }
}

function open(koffi: Koffi, file: string | undefined) {
  const names = file === undefined ? (NAMES[process.platform] ?? []) : [file]
  const failures: string[] = []
  for (const name of names) {
    try {
      return koffi.load(name)
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new Error(failures.join('; ') || `no GSS library is known for ${process.platform}`)
}

/** gssapi.h and gssapi_ext.h; names and handles are pointers that we never look behind. */
const PROTOTYPES = {
  gss_acquire_cred_from:
    '_Out_ uint32_t *minor, void *name, uint32_t time, gss_OID_set_desc *mechs, int usage, gss_key_value_set_desc *store, _Out_ void **cred, void *actual, void *rec',
  gss_set_neg_mechs: '_Out_ uint32_t *minor, void *cred, gss_OID_set_desc *mechs',
  gss_set_cred_option:
    '_Out_ uint32_t *minor, _Inout_ void **cred, gss_OID_desc *option, gss_buffer_desc *value',
  gss_release_cred: '_Out_ uint32_t *minor, _Inout_ void **cred',
  gss_accept_sec_context:
    '_Out_ uint32_t *minor, _Inout_ void **context, void *cred, gss_buffer_desc *input, gss_channel_bindings_struct *bindings, _Out_ void **source, void *mech, _Out_ gss_buffer_desc *output, _Out_ uint32_t *flags, void *time, _Out_ void **delegated',
  gss_init_sec_context:
    '_Out_ uint32_t *minor, void *cred, _Inout_ void **context, void *target, gss_OID_desc *mech, uint32_t wanted, uint32_t time, gss_channel_bindings_struct *bindings, gss_buffer_desc *input, void *actual, _Out_ gss_buffer_desc *output, _Out_ uint32_t *flags, void *rec',
  gss_wrap:
    '_Out_ uint32_t *minor, void *context, int confidential, uint32_t qop, gss_buffer_desc *input, void *state, _Out_ gss_buffer_desc *output',
  gss_unwrap:
    '_Out_ uint32_t *minor, void *context, gss_buffer_desc *input, _Out_ gss_buffer_desc *output, void *state, void *qop',
  gss_delete_sec_context: '_Out_ uint32_t *minor, _Inout_ void **context, void *output',
  gss_import_name:
    '_Out_ uint32_t *minor, gss_buffer_desc *input, gss_OID_desc *type, _Out_ void **name',
  gss_display_name: '_Out_ uint32_t *minor, void *name, _Out_ gss_buffer_desc *output, void *type',
  gss_release_name: '_Out_ uint32_t *minor, _Inout_ void **name',
  gss_release_buffer: '_Out_ uint32_t *minor, _Inout_ gss_buffer_desc *buffer',
  gss_display_status:
    '_Out_ uint32_t *minor, uint32_t status, int type, void *mech, _Inout_ uint32_t *more, _Out_ gss_buffer_desc *output',
} as const
