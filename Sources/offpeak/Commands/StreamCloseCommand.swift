internal import ArgumentParser
internal import Primitives

/// `offpeak account stream close`
struct StreamCloseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close",
        abstract: "Close a stream that was idle for 30 days, and get its deposit back.",
        discussion: """
            `offpeak account show` lists the streams with their last use. What was signed on the \
            stream and never submitted must be void by then: sign nothing for more than 30 days \
            ahead. The stream can be used again, from sequence 0, for a new deposit.

              offpeak account stream close 7 --key alice.key
            """)

    @Argument(help: "The stream, from 1 to 65535.")
    var number: UInt16

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if number == 0 { throw ValidationError("stream 0 can't be closed") }
        if number == signing.stream {
            throw ValidationError("on stream \(number) itself it is in use: name another --stream")
        }
    }

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        try await Delivery(builder: builder, format: output.format)
            .deliver([.closeStream(number)])
    }
}
