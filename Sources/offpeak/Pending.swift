internal import ArgumentParser

/// `offpeak testnet`
struct TestnetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "testnet")
}

/// `offpeak bench`
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "bench")
}
