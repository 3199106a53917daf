import Foundation
internal import TidingsFFI

extension ConnectionStatus {
    init(boundary status: TidingsFFI.ConnectionStatus) {
        self.init(
            state: State(boundary: status.state),
            transport: Transport(boundary: status.transport),
            light: Light(boundary: status.light),
            retryAt: Date(milliseconds: status.retryAtMs),
            reason: status.reason
        )
    }
}

extension ConnectionStatus.State {
    init(boundary state: TidingsFFI.ConnectionState) {
        switch state {
        case .idle: self = .idle
        case .connecting: self = .connecting
        case .live: self = .live
        case .stale: self = .stale
        case .polling: self = .polling
        case .backoff: self = .backoff
        case .offline: self = .offline
        case .suspended: self = .suspended
        case .signInRequired: self = .signInRequired
        case .closed: self = .closed
        }
    }
}

extension ConnectionStatus.Transport {
    init(boundary transport: TidingsFFI.Transport) {
        switch transport {
        case .webSocket: self = .webSocket
        case .polling: self = .polling
        case .none: self = .none
        }
    }
}

extension ConnectionStatus.Light {
    init(boundary light: TidingsFFI.Light) {
        switch light {
        case .green: self = .green
        case .yellow: self = .yellow
        case .red: self = .red
        }
    }
}
