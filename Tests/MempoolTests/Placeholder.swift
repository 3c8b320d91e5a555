import Testing

@testable import Mempool
