import Testing

@testable import NodeCore
