import Testing

@testable import offpeak
