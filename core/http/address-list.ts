import { BlockList, isIP } from 'node:net'

/** True for addresses that are in a list of addresses and CIDR blocks. */
export function createAddressList(entries: readonly string[]): (ip: string) => boolean {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/')
    if (bits === undefined) list.addAddress(address, familyOf(address))
    else list.addSubnet(address, Number(bits), familyOf(address))
  }
  return ip => isIP(ip) !== 0 && list.check(ip, familyOf(ip))
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')
