/**
 * Node's HTTP, asked for rather than imported: an import reads each export of the module, and to read one
 * of them loads the whole of `fetch`, 13 MB that no server of ours needs.
 */
export const nodeHttp = process.getBuiltinModule('node:http')
